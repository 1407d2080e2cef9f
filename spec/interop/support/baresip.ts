/**
 * Debian's baresip as a WebRTC phone on a host of its own: ICE, DTLS-SRTP, rtcp-mux, opus. It answers every call by itself, plays a tone
 * of 440 Hz, and says how many packets went each way when the call is over.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostAlone } from './host-alone.js';
import { passwordOf } from './kamailio.js';
import type { Program } from './program.js';

const modules = '/usr/lib/baresip/modules';

export class Baresip {
  private constructor(
    private readonly program: Program,
    private readonly folder: string,
  ) {}

  /** Resolves when it is registered. @param port the registrar's udp port on this machine */
  static async start(host: HostAlone, user: string, port: number): Promise<Baresip> {
    const folder = mkdtempSync(join(tmpdir(), 'baresip-'));
    writeFileSync(join(folder, 'config'), configOf(host));
    writeFileSync(join(folder, 'contacts'), '');
    const account = `<sip:${user}@${host.outside}:${port}>;auth_pass=${passwordOf(user)};regint=600;answermode=auto`;
    writeFileSync(join(folder, 'accounts'), `${account};audio_codecs=opus/48000/2;medianat=ice;mediaenc=dtls_srtp\n`);
    const baresip = new Baresip(host.run('baresip', ['-f', folder]), folder);
    await baresip.program.prints(/200 OK|registered successfully/);
    return baresip;
  }

  /** Packets of sound it sent and received in each call that is over (`EX=BareSip;CS=0;CD=4;PR=198;PS=201;...`). */
  get calls(): { sent: number; received: number }[] {
    return [...this.program.output.matchAll(/^EX=BareSip;.*?PR=(\d+);PS=(\d+);/gm)].map(([, received, sent]) => ({
      sent: Number(sent),
      received: Number(received),
    }));
  }

  describe(): string {
    return this.program.describe();
  }

  async stop(): Promise<void> {
    await this.program.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function configOf({ address }: HostAlone): string {
  const loaded = ['opus', 'ausine', 'aubridge', 'ice', 'srtp', 'dtls_srtp', 'rtcpsummary'].map((name) => `module ${name}.so`);
  return [
    `sip_listen ${address}:5060`,
    'net_interface eth0',
    `module_path ${modules}`,
    'audio_source ausine,440',
    'audio_player aubridge,nowhere',
    'audio_alert aubridge,nowhere',
    // What ausine wants.
    'ausrc_srate 48000',
    'auplay_srate 48000',
    'ausrc_channels 2',
    'auplay_channels 2',
    'rtcp_mux yes',
    ...loaded,
    'module_app account.so',
    'module_app menu.so',
    '',
  ].join('\n');
}

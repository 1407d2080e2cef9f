/** `dialog-sip check-sdp FILE`. */
import type { Command } from 'commander';
import { ExtensionError } from '../base/errors.js';
import { checkSdp } from '../extension/sdp-operations.js';
import { openText, readShortText } from './files.js';
import { example } from './wording.js';

/** The world of the command; specs give another. */
export interface CheckSdpWorld {
  /** @param file `-` for standard input */
  read: (file: string) => AsyncIterable<Buffer | string>;
  write: (text: string) => void;
}

const terminal: CheckSdpWorld = {
  read: openText,
  write: (text) => {
    process.stdout.write(text);
  },
};

export function addCheckSdpCommand(program: Command, world: CheckSdpWorld = terminal): void {
  program
    .command('check-sdp')
    .summary('say what a session description lacks for WebRTC, and what gives it')
    .description(
      'Holds an offer or an answer (SDP) against modules.sip.webrtc as a call does:\n' +
        'which codecs stay, what is lacking, and which setting of Asterisk, FreeSWITCH\n' +
        'or Kamailio with rtpengine gives it. The exit status is 1 when a call with it\n' +
        'would be refused.',
    )
    .argument('<file>', 'the description; - for standard input')
    .option('--config <file>', 'the server.conf whose modules.sip.webrtc holds')
    .addHelpText('after', example('check-sdp offer.sdp', 'check-sdp --config server.conf - < answer.sdp'))
    .action(async (file: string, options: { config?: string }) => {
      const { isRefused, text } = await checkSdp(await readShortText(world.read(file), 'description', 'SDP_INVALID'), options.config);
      world.write(text);
      if (isRefused) throw new ExtensionError('SDP_INVALID', 'A call with this description is refused.');
    });
}

/**
 * The peer of the registrations bench: Kamailio with its module `uac`, which registers the users of a table of its own (db_text) at another
 * registrar, as fast as it goes. Two workers, a timer that looks every second, memory enough.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askKamailio, withSbin } from '../interop/support/kamailio-rpc.js';
import { Program } from '../interop/support/program.js';
import { freePort } from '../support/ports.js';
import { cpuSecondsOf, groupOf, memoryOf } from './process-cost.js';

export interface UacUsers {
  readonly count: number;
  readonly registrarPort: number;
  /** The expiry that they ask for, seconds. */
  readonly expiresS: number;
  nameOf(number: number): string;
  passwordOf(user: string): string;
}

export class KamailioUac {
  #program: Program | undefined;

  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** Writes its files. */
  static async prepare(users: UacUsers): Promise<KamailioUac> {
    const folder = mkdtempSync(join(tmpdir(), 'kamailio-uac-'));
    const port = await freePort();
    writeFileSync(join(folder, 'version'), 'table_name(string) table_version(int)\nversion:1\nuacreg:5\n');
    writeFileSync(join(folder, 'uacreg'), tableOf(users));
    writeFileSync(join(folder, 'kamailio.cfg'), configOf(folder, port));
    return new KamailioUac(folder, port);
  }

  /** It reads its table and registers all users at once. */
  start(): void {
    const config = join(this.folder, 'kamailio.cfg');
    this.#program = new Program(
      'kamailio',
      ['-DD', '-E', '-f', config, '-P', join(this.folder, 'pid'), '-Y', this.folder, '-w', this.folder, '-m', '1024', '-M', '256', '-b', String(4 << 20)],
      { env: withSbin() },
    );
  }

  get cpuSeconds(): number {
    return cpuSecondsOf(this.#processes);
  }

  get memoryBytes(): number {
    return memoryOf(this.#processes);
  }

  /** What it holds of its shared memory, bytes: the users, and what their transactions still keep. */
  async heldBytes(): Promise<number> {
    return ((await askKamailio(this.port, 'core.shmmem')) as { used: number }).used;
  }

  async stop(): Promise<void> {
    await this.#program?.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #processes(): number[] {
    return this.#program?.pid === undefined ? [] : groupOf(this.#program.pid);
  }
}

/** db_text: a colon stands between columns; a column that is left empty must be allowed to be null, or no row is read. */
function tableOf(users: UacUsers): string {
  const columns =
    'id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string) r_domain(string) realm(string) auth_username(string) ' +
    'auth_password(string) auth_ha1(string,null) auth_proxy(string) expires(int) flags(int) reg_delay(int) contact_addr(string,null) socket(string,null)';
  const proxy = `sip\\:127.0.0.1\\:${users.registrarPort}`;
  const rows = Array.from({ length: users.count }, (_, index) => {
    const user = users.nameOf(index + 1);
    return `${index + 1}:${user}:${user}:127.0.0.1:${user}:127.0.0.1:127.0.0.1:${user}:${users.passwordOf(user)}::${proxy}:${users.expiresS}:0:0::\n`;
  });
  return `${columns}\n${rows.join('')}`;
}

function configOf(folder: string, port: number): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
auto_aliases=no
children=2
tcp_children=1
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xhttp.so"
loadmodule "jsonrpcs.so"
loadmodule "db_text.so"
loadmodule "uac.so"
modparam("jsonrpcs", "transport", 1)
modparam("uac", "restore_mode", "none")
modparam("uac", "reg_db_url", "text://${folder}")
modparam("uac", "reg_contact_addr", "127.0.0.1:${port}")
modparam("uac", "reg_timer_interval", 1)
modparam("uac", "reg_hash_size", 14)

request_route {
  sl_send_reply("405", "Method Not Allowed");
  exit;
}

event_route[xhttp:request] {
  if ($hu == "/rpc") { jsonrpc_dispatch(); exit; }
  xhttp_reply("404", "Not Found", "", "");
}
`;
}

/**
 * Whose requests are answered: the addresses of `listen.trusted`, and registrars as long as an account uses a flow to them. The
 * registrars are counted, not collected: one that no account uses any more is a stranger again.
 */
import { BlockList, isIP } from 'node:net';
import { ExtensionError } from '../base/errors.js';

export class KnownSources {
  readonly #trusted = new BlockList();
  readonly #hasTrusted: boolean;
  /** How many accounts use a flow to that address. */
  readonly #registrars = new Map<string, number>();

  /**
   * @param trusted addresses or CIDRs
   * @throws ExtensionError CONFIG_INVALID for anything else
   */
  constructor(trusted: readonly string[]) {
    this.#hasTrusted = trusted.length > 0;
    for (const entry of trusted) {
      const [address = '', bits] = entry.split('/');
      const family = isIP(address);
      const width = family === 6 ? 128 : 32;
      const prefix = bits === undefined ? width : Number(bits);
      if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > width) {
        throw new ExtensionError('CONFIG_INVALID', `modules.sip.listen.trusted: ${JSON.stringify(entry)} is no address and no CIDR such as 192.0.2.0/24.`);
      }
      this.#trusted.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
    }
  }

  /** An account goes over to a flow to that address. */
  addUse(address: string): void {
    this.#registrars.set(address, (this.#registrars.get(address) ?? 0) + 1);
  }

  /** An account leaves one. */
  removeUse(address: string): void {
    const uses = (this.#registrars.get(address) ?? 0) - 1;
    if (uses > 0) this.#registrars.set(address, uses);
    else this.#registrars.delete(address);
  }

  has(address: string): boolean {
    if (this.#registrars.has(address)) return true;
    return this.#hasTrusted && this.#trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Whose requests are answered: registrars that we have a flow to, and the addresses of `listen.trusted`. */
import { BlockList, isIP } from 'node:net';
import { ExtensionError } from '../base/errors.js';

export class KnownSources {
  readonly #trusted = new BlockList();
  readonly #registrars = new Set<string>();

  /**
   * @param trusted addresses or CIDRs
   * @throws ExtensionError CONFIG_INVALID for anything else
   */
  constructor(trusted: readonly string[]) {
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

  addRegistrar(address: string): void {
    this.#registrars.add(address);
  }

  has(address: string): boolean {
    return this.#registrars.has(address) || this.#trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
}

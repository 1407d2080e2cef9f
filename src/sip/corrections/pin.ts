/**
 * How a correction is made: one member of one of SIP.js's classes is replaced, with the reason beside it. Each names a hash of the
 * source that it replaces; another text there means another SIP.js, and nothing is replaced by guess.
 */
import { hash } from 'node:crypto';
import { ExtensionError } from '../../base/errors.js';

/** Stands for a spec where only figures tell. */
export const measured = 'none: `npm run bench`';

export interface Correction {
  /** `InviteClientTransaction.ack` */
  readonly member: string;
  /** What the RFC says, with its section, and what SIP.js does instead. */
  readonly why: string;
  /** The title of a spec that fails without it; `measured` when it makes things fast and nothing else. */
  readonly spec: string;
  readonly install: () => void;
}

/**
 * @param owner a prototype, or a class for a static member
 * @param pin the first 8 hex digits of the SHA-256 of the source text that is replaced
 */
export function correct(
  owner: object,
  member: string,
  pin: string,
  why: string,
  spec: string,
  replacement: (...args: never[]) => unknown,
): Correction {
  const name = `${typeof owner === 'function' ? owner.name : owner.constructor.name}.${member}`;
  return {
    member: name,
    why,
    spec,
    install: () => {
      const original: unknown = Object.getOwnPropertyDescriptor(owner, member)?.value;
      if (original === replacement) return;
      const found = typeof original === 'function' ? hash('sha256', String(original), 'hex').slice(0, 8) : 'nothing';
      if (found !== pin) {
        throw new ExtensionError(
          'SIP_MESSAGE',
          `SIP.js is not the version this package corrects: ${name} is ${found}, not ${pin}. Install sip.js 0.21.2 exactly.`,
        );
      }
      Object.defineProperty(owner, member, { value: replacement, configurable: true, writable: true, enumerable: false });
    },
  };
}

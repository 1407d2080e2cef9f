/**
 * What `sip_password` holds, in one of three forms: the password itself; `ha1:` and the MD5 of user:realm:password; or
 * `enc:v1:<key id>:<...>`, either of these two sealed with a key of `modules.sip.secrets` (AES-256-GCM, a random IV of 96
 * bits, NIST SP 800-38D). Pure, but for the randomness of the IV.
 *
 * The row is not bound in as additional data: a mapping may be renamed, moved to another host, exported and imported, and
 * whoever can put one row's sealed password into another could as well point that row's sip_host at a server of his own.
 * The version and the id of the key are bound in, so neither can be exchanged.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, type KeyObject } from 'node:crypto';
import { MappingError } from '../base/errors.js';

/** `modules.sip.secrets`: keys of 32 bytes. */
export interface SecretKeys {
  /** Seals and opens. Absent: passwords are stored as they are given. */
  key?: KeyObject;
  /** Open what was sealed before the key was changed. */
  previous: readonly KeyObject[];
}

/** What a stored password comes to: the password, or MD5(user:realm:password) in lower-case hex. */
export type OpenedPassword = string | { readonly ha1: string };

export type PasswordForm = 'none' | 'plain' | 'ha1' | 'sealed';

/** What every sealed password begins with; the id of its key and a colon follow. */
export const sealedPrefix = 'enc:v1:';

const ivBytes = 12;
const tagBytes = 16;
const hashForm = /^ha1:([0-9a-f]{32})$/i;
const sealedForm = /^enc:v1:([0-9a-f]{8}):([\w-]+)$/;

/** Begins as one of the forms and is not of it: a mistake to be told, and no password to be tried. */
const unfinished: readonly { readonly start: RegExp; readonly problem: string }[] = [
  { start: /^ha1:/i, problem: 'begins with "ha1:", but 32 hexadecimal digits do not follow' },
  { start: /^enc:v1:/, problem: 'begins with "enc:v1:", but what follows is damaged' },
  { start: /^enc:v\d+:/, problem: 'is encrypted in a form that this version does not know' },
];

/** @returns what is wrong with a stored password, whatever the keys; for the middle of a sentence */
export function whyNoPassword(stored: string): string | undefined {
  // Every form has a colon, and nearly no password.
  if (!stored.includes(':')) return undefined;
  if (hashForm.test(stored) || sealedForm.test(stored)) return undefined;
  return unfinished.find(({ start }) => start.test(stored))?.problem;
}

export function formOf(stored: string): PasswordForm {
  if (stored === '') return 'none';
  if (stored.startsWith(sealedPrefix)) return 'sealed';
  return hashForm.test(stored) ? 'ha1' : 'plain';
}

/** Tells keys apart without telling anything of them: 8 hexadecimal digits. */
export function keyId(key: KeyObject): string {
  return createHmac('sha256', key).update('dialog-sip secrets key id').digest('hex').slice(0, 8);
}

export class Secrets {
  /** Of the key that seals; undefined when there is none. */
  readonly currentId: string | undefined;
  readonly #key: KeyObject | undefined;
  readonly #byId: ReadonlyMap<string, KeyObject>;

  constructor({ key, previous }: SecretKeys) {
    this.#key = key;
    this.currentId = key && keyId(key);
    this.#byId = new Map([...previous, ...(key === undefined ? [] : [key])].map((known) => [keyId(known), known]));
  }

  /** A password as it is to be stored: sealed, when there is a key. What is sealed already, or empty, stays as it is. */
  seal(password: string): string {
    if (this.#key === undefined || password === '' || formOf(password) === 'sealed') return password;
    const prefix = `${sealedPrefix}${keyId(this.#key)}:`;
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(prefix));
    const sealed = Buffer.concat([iv, cipher.update(password, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return prefix + sealed.toString('base64url');
  }

  /** As `seal`, and what is sealed with another key is sealed anew with this one. @throws as `open` */
  reseal(stored: string): string {
    if (this.currentId === undefined || stored.startsWith(`${sealedPrefix}${this.currentId}:`)) return stored;
    return this.seal(this.#unsealed(stored));
  }

  /** @throws MappingError MAPPING_INVALID when it cannot be opened, and why; never with anything of the password */
  open(stored: string): OpenedPassword {
    const password = this.#unsealed(stored);
    const problem = whyNoPassword(password);
    if (problem !== undefined) throw unusable(problem);
    const ha1 = hashForm.exec(password)?.[1]?.toLowerCase();
    return ha1 === undefined ? password : { ha1 };
  }

  #unsealed(stored: string): string {
    if (formOf(stored) !== 'sealed') return stored;
    const [, id = '', text = ''] = sealedForm.exec(stored) ?? [];
    const sealed = Buffer.from(text, 'base64url');
    if (sealed.length < ivBytes + tagBytes) throw unusable('begins with "enc:v1:", but what follows is damaged');
    const key = this.#byId.get(id);
    if (key === undefined) throw unusable(this.#whyNoKey(id));
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes })
      .setAAD(Buffer.from(`${sealedPrefix}${id}:`))
      .setAuthTag(sealed.subarray(-tagBytes));
    try {
      return decipher.update(sealed.subarray(ivBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw unusable('was changed after it was encrypted');
    }
  }

  #whyNoKey(id: string): string {
    return this.#byId.size === 0
      ? 'is encrypted, and modules.sip.secrets.key is not set'
      : `is encrypted with the key ${id}, which is neither modules.sip.secrets.key nor one of secrets.previous`;
  }
}

function unusable(problem: string): MappingError {
  return new MappingError('MAPPING_INVALID', `sip_password ${problem}`, { fields: ['sip_password'] });
}

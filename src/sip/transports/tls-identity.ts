/** Our side of TLS: whom we trust and who we are, read from PEM files. */

import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { messageOf } from '../../base/errors.js';
import { codeOf, transportError } from './transport-fault.js';

/** Paths of PEM files. */
export interface TlsFiles {
  /** Whom we trust as registrar, instead of the public authorities. */
  readonly ca?: string;
  /** Our certificate with its chain: shown to registrars that ask, and to who connects to us. */
  readonly cert?: string;
  /** The key that belongs to `cert`. */
  readonly key?: string;
  /** Refuse peers whose certificate is not good. */
  readonly verify: boolean;
}

export interface TlsIdentity {
  /** For connections that we open. */
  readonly context: SecureContext;
  readonly verify: boolean;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Rejects with SIP_TRANSPORT, naming the setting and the file, when one cannot be read or they do not fit. */
export async function readTlsIdentity(files: TlsFiles): Promise<TlsIdentity> {
  const [ca, cert, key] = await Promise.all([read('ca', files.ca), read('cert', files.cert), read('key', files.key)]);
  if ((cert === undefined) !== (key === undefined)) {
    throw transportError('modules.sip.listen.tls.cert and key belong together: one of them is missing.');
  }
  try {
    const own = cert === undefined || key === undefined ? {} : { cert, key };
    return { context: createSecureContext({ ...own, ...(ca === undefined ? {} : { ca }) }), verify: files.verify, ...own };
  } catch (thrown) {
    const named = [files.ca, files.cert, files.key].filter((file) => file !== undefined).join(', ');
    throw transportError(`modules.sip.listen.tls: ${named} cannot be used: ${codeOf(thrown) ?? messageOf(thrown)}.`, thrown);
  }
}

async function read(setting: string, file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (thrown) {
    const why = codeOf(thrown) === 'ENOENT' ? 'there is no such file' : (codeOf(thrown) ?? messageOf(thrown));
    throw transportError(`modules.sip.listen.tls.${setting}: cannot read ${file}: ${why}.`, thrown);
  }
  // OpenSSL silently trusts nobody when a file of authorities holds none.
  if (!bytes.includes('-----BEGIN ')) throw transportError(`modules.sip.listen.tls.${setting}: ${file} is not a PEM file.`);
  return bytes;
}

/** Texts that commands read, and why a file cannot be read or written, in words. */
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { ExtensionError } from '../base/errors.js';

export async function readStandardInput(): Promise<string> {
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) text += String(part);
  return text;
}

/** @param file "-" is standard input @throws ExtensionError MAPPING_INVALID when there is no such text */
export async function readText(file: string, readInput: () => Promise<string>): Promise<string> {
  if (file === '-') return readInput();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (thrown) {
    throw new ExtensionError('MAPPING_INVALID', `${file} cannot be read: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

/** @param file "-" is standard input */
export function openText(file: string): AsyncIterable<Buffer | string> {
  return file === '-' ? process.stdin : createReadStream(file);
}

/** The most that a SIP message carries. */
const mostCharacters = 65_536;

/**
 * A text that a SIP message could carry; of one that is longer, no more is read than that.
 * @param what it is: "description"
 * @throws ExtensionError with that code when it cannot be read or is longer
 */
export async function readShortText(source: AsyncIterable<Buffer | string>, what: string, code: 'SDP_INVALID' | 'SIP_MESSAGE'): Promise<string> {
  let text = '';
  try {
    for await (const part of source) {
      text += part.toString();
      if (text.length > mostCharacters) break;
    }
  } catch (thrown) {
    throw new ExtensionError(code, `The ${what} cannot be read: ${reasonOf(thrown)}`, { cause: thrown });
  }
  if (text.length > mostCharacters) throw new ExtensionError(code, `The ${what} is larger than 64 KB, the most that a SIP message carries.`);
  return text;
}

/** @throws ExtensionError MAPPING_INVALID, with the reason in words */
export async function writeTo(file: string, bytes: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, bytes);
  } catch (thrown) {
    throw new ExtensionError('MAPPING_INVALID', `${file} cannot be written: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'no reason given.';
  const code = 'code' in thrown ? String(thrown.code) : '';
  const sentences: Record<string, string> = {
    ENOENT: 'there is no such file or directory.',
    EACCES: 'permission denied.',
    EISDIR: 'it is a directory.',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text.',
  };
  return sentences[code] ?? thrown.message;
}

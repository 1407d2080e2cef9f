/** Texts that commands read, and why a file cannot be read or written, in words. */
import { readFile } from 'node:fs/promises';
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

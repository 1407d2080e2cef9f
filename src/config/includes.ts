/**
 * `include "x"` reads a file below the folder of the file that says so, and nowhere else: no absolute path, no `..`,
 * no symbolic link that leads out. Reading is synchronous, since a configuration is read once, before anything runs.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { messageOf } from '../base/errors.js';
import { largestFile, showText, syntaxError } from './lexer.js';
import type { ReadInclude } from './skeleton.js';

/** HOCON: a bare name may lack its extension. */
const extensions = ['', '.conf', '.json'];

/** Finds included files on disk. A file that is not there is left out, as HOCON has it, unless it is `required`. */
export const includesBelow: ReadInclude = ({ name, exact, required, at }) => {
  if (name === '' || name.includes('\0') || isAbsolute(name) || name.split(/[\\/]/).includes('..')) {
    throw syntaxError(at, `include ${showText(name)} must name a file below the folder of ${showText(at.file)}`);
  }
  const folder = dirname(at.file);
  for (const extension of exact ? [''] : extensions) {
    const file = join(folder, name + extension);
    let real: string;
    try {
      real = realpathSync(file);
    } catch (thrown) {
      if (isAbsent(thrown)) continue;
      throw syntaxError(at, `include ${showText(name)} cannot be read: ${messageOf(thrown)}`, thrown);
    }
    const below = relative(realpathSync(folder), real);
    if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) {
      throw syntaxError(at, `include ${showText(name)} leads out of the folder of ${showText(at.file)}`);
    }
    try {
      return { text: readRegularFile(real), file };
    } catch (thrown) {
      throw syntaxError(at, `include ${showText(name)} cannot be read: ${messageOf(thrown)}`, thrown);
    }
  }
  if (required) throw syntaxError(at, `include ${showText(name)}: there is no such file`);
  return undefined;
};

/** Opening a pipe would wait for its writer, and a huge file would fill the memory before the lexer's cap sees it. */
function readRegularFile(file: string): string {
  const stat = statSync(file);
  if (!stat.isFile()) throw new Error('it is not a regular file');
  if (stat.size > largestFile) throw new Error(`it is larger than ${largestFile} bytes`);
  return readFileSync(file, 'utf8');
}

function isAbsent(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
}

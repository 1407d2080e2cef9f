/**
 * Reads server.conf: text to tree, in three stages (lexer; skeleton, hocon-parser, structure; resolver), and keeps
 * where every key stands so that later errors can say so.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError, messageOf } from '../base/errors.js';
import { includesBelow } from './includes.js';
import type { Position } from './lexer.js';
import { Resolver } from './resolver.js';
import type { Environment } from './resolver.js';
import { writeSkeleton } from './skeleton.js';
import type { ReadInclude } from './skeleton.js';
import { buildStructure } from './structure.js';

/** A configuration as plain values, and where each was set. */
export interface ConfigTree {
  tree: Record<string, unknown>;
  /** The file it was read from: relative paths in it count from that file's folder. */
  file: string;
  /** Where the value at that path was set last, list elements by index; undefined when it was not set. */
  position(path: readonly string[]): Position | undefined;
}

export interface ParseOptions {
  /** How the file is named in errors, and whose folder includes are below. */
  file: string;
  /** What `${NAME}` falls back to. Default: `process.env`. */
  env?: Environment;
  /** How `include` finds its text. Default: files below the including file's folder. */
  readInclude?: ReadInclude;
}

/**
 * Reads and parses a server.conf.
 * @throws ConfigError when it cannot be read, or with what is wrong in it
 */
export async function readServerConf(file: string, options: Omit<ParseOptions, 'file'> = {}): Promise<ConfigTree> {
  let text: string;
  try {
    text = await readFile(resolve(file), 'utf8');
  } catch (thrown) {
    throw new ConfigError([{ file, message: `cannot be read: ${messageOf(thrown)}` }], { cause: thrown });
  }
  return parseServerConf(text, { ...options, file });
}

/**
 * Parses the text of a server.conf.
 * @throws ConfigError: the first error of syntax, else everything that could not be resolved
 */
export function parseServerConf(text: string, options: ParseOptions): ConfigTree {
  const { file, env = process.env, readInclude = includesBelow } = options;
  const resolver = new Resolver(buildStructure(writeSkeleton(text, file, readInclude)), file, env);
  return { tree: resolver.resolve(), file, position: (path) => resolver.position(path) };
}

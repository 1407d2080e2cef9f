/**
 * Reads `modules.sip.extension` and constructs that extension: the class of this package by its id, or another class
 * with the same hooks by 'package-or-path#ExportName'. The class of this package is handed in, since this room lies
 * below it.
 */
import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ExtensionError, messageOf } from '../base/errors.js';
import type { HostExtension } from './contract.js';

/** The id of the extension of this package: the value that the SIP Integration Guide gives to `modules.sip.extension`. */
export const builtInExtensionId = 'im.dlg.sip.extension.SipExtension';

const accepted = `want "${builtInExtensionId}", or "package-or-path#ExportName" for another class with the same hooks`;

/** Every hook of the contract; a class that lacks one cannot serve. */
const hooks = ['init', 'onUserCreated', 'onUserUpdated', 'onUserDeleted', 'onCall', 'status', 'stop'] as const satisfies readonly (keyof HostExtension)[];

/**
 * Makes the `loadExtension` of the package.
 * @param builtIn constructs the extension of this package
 * @returns a function from the tree of server.conf to a new extension; paths count from the working directory. It rejects
 *   with `EXTENSION_UNKNOWN` when the key is missing or names nothing that can be loaded
 */
export function createExtensionLoader(builtIn: () => HostExtension): (tree: Record<string, unknown>) => Promise<HostExtension> {
  return async (tree) => {
    const id = extensionId(tree);
    if (id === builtInExtensionId) return builtIn();
    const hash = id.lastIndexOf('#');
    const [source, exportName] = [id.slice(0, hash), id.slice(hash + 1)];
    if (hash <= 0 || exportName === '') throw unknown(`modules.sip.extension is ${JSON.stringify(id)}; ${accepted}.`);
    const exported = readExport(await importModule(source), exportName, source);
    return construct(exported, id);
  };
}

function extensionId(tree: Record<string, unknown>): string {
  let value: unknown = tree;
  for (const part of ['modules', 'sip', 'extension']) {
    value = isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  if (value === undefined || value === null) throw unknown(`modules.sip.extension is not set; ${accepted}.`);
  if (typeof value !== 'string') throw unknown(`modules.sip.extension is no text; ${accepted}.`);
  return value;
}

async function importModule(source: string): Promise<unknown> {
  const isPath = source.startsWith('.') || isAbsolute(source);
  const specifier = isPath ? pathToFileURL(resolve(source)).href : source;
  try {
    return (await import(specifier)) as unknown;
  } catch (thrown) {
    const fromHost = isPath || !isNotFound(thrown) ? undefined : resolveFromHost(source);
    if (fromHost === undefined) throw notLoaded(source, thrown);
    try {
      return (await import(fromHost)) as unknown;
    } catch (thrownAgain) {
      throw notLoaded(source, thrownAgain);
    }
  }
}

/** A package that the host installed, where ours stands elsewhere (linked, or in a store of its own). */
function resolveFromHost(source: string): string | undefined {
  try {
    return pathToFileURL(createRequire(resolve('server.js')).resolve(source)).href;
  } catch {
    return undefined;
  }
}

function readExport(module: unknown, name: string, source: string): unknown {
  if (isRecord(module) && Object.hasOwn(module, name)) return module[name];
  const names = isRecord(module) ? Object.keys(module).sort().slice(0, 20).join(', ') : '';
  throw unknown(
    `modules.sip.extension names the export ${JSON.stringify(name)} of ${JSON.stringify(source)}, which exports ${names === '' ? 'nothing' : `only: ${names}`}.`,
  );
}

function construct(exported: unknown, id: string): HostExtension {
  if (typeof exported !== 'function') throw unknown(`modules.sip.extension is ${JSON.stringify(id)}, which is not a class.`);
  let extension: unknown;
  try {
    extension = Reflect.construct(exported, []) as unknown;
  } catch (thrown) {
    throw unknown(`modules.sip.extension is ${JSON.stringify(id)}, which cannot be constructed: ${messageOf(thrown)}`, thrown);
  }
  if (!hasHooks(extension)) {
    const missing = hooks.filter((hook) => !isHook(extension, hook));
    throw unknown(`modules.sip.extension is ${JSON.stringify(id)}, which lacks the hooks ${missing.join(', ')}.`);
  }
  return extension;
}

function hasHooks(extension: unknown): extension is HostExtension {
  return hooks.every((hook) => isHook(extension, hook));
}

function isHook(extension: unknown, hook: string): boolean {
  return isRecord(extension) && typeof extension[hook] === 'function';
}

function isNotFound(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_MODULE_NOT_FOUND';
}

function notLoaded(source: string, cause: unknown): ExtensionError {
  return unknown(`modules.sip.extension names ${JSON.stringify(source)}, which cannot be loaded: ${messageOf(cause)}`, cause);
}

function unknown(message: string, cause?: unknown): ExtensionError {
  return new ExtensionError('EXTENSION_UNKNOWN', message, { cause });
}

/** Modules and instances alike. */
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * What a database driver throws, told as an `ExtensionError`. knex puts the whole statement with its bindings, passwords
 * among them, before the driver's sentence, and PostgreSQL puts failing rows into `detail`: neither is passed on.
 */
import { ExtensionError, messageOf, type ErrorCode } from './errors.js';

/** The parts of a driver's error that say what happened and hold no value of any row. */
class DriverError extends Error {
  override readonly name = 'DriverError';

  constructor(
    message: string,
    /** SQLSTATE (PostgreSQL appendix A), or Node's code for a broken connection. */
    readonly code: string | undefined,
    readonly constraint: string | undefined,
  ) {
    super(message);
  }
}

/** Codes of Node and of SQLSTATE that mean: there is no session, or none that answers in time; try again later. */
const unreachable = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE',
  '28000', '28P01', '3D000', '53300', '57014', '57P01', '57P02', '57P03',
]);

/** Codes that have a plainer sentence than the driver's own. */
const sentences: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'that host name is not known',
  EAI_AGAIN: 'that host name cannot be looked up now',
  ETIMEDOUT: 'nothing answers there',
  EHOSTUNREACH: 'there is no way to that address',
  ENETUNREACH: 'there is no way to that address',
  '28P01': 'the user or the password was refused',
  '28000': 'the user was refused (pg_hba.conf)',
  '3D000': 'there is no such database',
  '53300': 'it has no connection left',
  '57014': 'the statement took longer than services.postgresql.statement-timeout, or somebody cancelled it',
  '57P01': 'it was shut down',
  '57P03': 'it is starting up or shutting down',
  '42P01': 'the tables are not there, run `dialog-sip migrate`',
  '42703': 'the tables are of another version, run `dialog-sip migrate`',
  '42501': 'the user lacks the right to do that',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
};

/** SQLSTATE unique_violation. */
export function isUniqueViolation(thrown: unknown): boolean {
  return textOf(thrown, 'code') === '23505';
}

/** Why, in a few words for the middle of a sentence; free of bindings. */
export function describeDatabaseError(thrown: unknown): string {
  const code = textOf(thrown, 'code');
  if (code !== undefined && sentences[code] !== undefined) return sentences[code];
  // A statement stands before the last " - "; a sentence with " - " in it only loses its beginning.
  const sentence = messageOf(thrown).split(' - ').at(-1)?.trim() ?? '';
  return sentence === '' ? (code ?? 'no reason given') : sentence.replace(/\.$/, '');
}

/** The driver's error without statement, bindings and rows. */
export function bareCause(thrown: unknown): Error {
  return new DriverError(describeDatabaseError(thrown), textOf(thrown, 'code'), textOf(thrown, 'constraint'));
}

/** @param action what is done, as in `databaseError` @throws ExtensionError */
export async function askDatabase<T>(action: string, work: () => PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw databaseError(thrown, action);
  }
}

/**
 * The error to throw on: an `ExtensionError` as it is, all else DATABASE_UNAVAILABLE or DATABASE_FAILED.
 * @param action what was being done, "Reading the mappings"
 */
export function databaseError(thrown: unknown, action: string): ExtensionError {
  if (thrown instanceof ExtensionError) return thrown;
  const code: ErrorCode = isUnreachable(thrown) ? 'DATABASE_UNAVAILABLE' : 'DATABASE_FAILED';
  return new ExtensionError(code, `${action} failed: ${describeDatabaseError(thrown)}.`, { cause: bareCause(thrown) });
}

function isUnreachable(thrown: unknown): boolean {
  const code = textOf(thrown, 'code');
  if (code !== undefined && (unreachable.has(code) || code.startsWith('08'))) return true;
  return thrown instanceof Error && (thrown.name === 'KnexTimeoutError' || /Connection (terminated|ended)/.test(thrown.message));
}

function textOf(thrown: unknown, property: string): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const value: unknown = Reflect.get(thrown, property);
  return typeof value === 'string' ? value : undefined;
}

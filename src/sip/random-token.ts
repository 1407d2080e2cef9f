import { randomFillSync } from 'node:crypto';

/** Bytes are drawn from the system in pools: a call per token costs more than the token. */
const pool = Buffer.allocUnsafe(8192);
let used = pool.length;

/**
 * `bytes` random bytes as lower-case hex: tags, branches, Call-IDs, cnonces. Nobody off the path can guess one (RFC 3261 19.3 asks
 * for 32 bits at least).
 */
export function randomToken(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const token = pool.toString('hex', used, used + bytes);
  used += bytes;
  return token;
}

/** Ids as they are typed. */
import { InvalidArgumentError } from 'commander';

/** For commander, which says which argument it was. */
export function parseId(text: string): number {
  const id = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(id)) throw new InvalidArgumentError('It is a whole number.');
  return id;
}

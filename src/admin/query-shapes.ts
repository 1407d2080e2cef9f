/** What stands in a query or a path: text always. A parameter that stands there twice is a list, and refused. */
import * as z from 'zod';

export const largestPage = 500;

export function wholeNumber(least: number, most: number) {
  const error = `want a whole number from ${least} to ${most}`;
  return z.string({ error }).regex(/^\d{1,16}$/, { error }).transform(Number).pipe(z.int({ error }).min(least, { error }).max(most, { error }));
}

export const pageSize = wholeNumber(1, largestPage).default(100);

/** What is looked for; nothing is as good as absent. */
export const partOfText = z
  .string({ error: 'want one text' })
  .trim()
  .max(256, { error: 'is longer than 256 characters' })
  .regex(/^\P{Cc}*$/u, { error: 'contains a control character' })
  .transform((text) => (text === '' ? undefined : text))
  .optional();

const moment = z.iso.datetime({ offset: true, error: 'want a time of ISO 8601 with a zone, 2026-01-31T12:00:00Z' });

export const time = moment.transform((text) => new Date(text));

/** Milliseconds in a second; SIP headers speak seconds, everything here milliseconds. */
export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;

/** Bytes. */
export const kilobyte = 1_024;
export const megabyte = 1_024 * kilobyte;

/** `1.5 s`, `2 min`, `3 h`: a duration as a person says it. */
export function sayDuration(ms: number): string {
  if (ms < second) return `${String(Math.round(ms))} ms`;
  if (ms < 2 * minute) return `${trim(ms / second)} s`;
  if (ms < 2 * hour) return `${trim(ms / minute)} min`;
  return `${trim(ms / hour)} h`;
}

function trim(value: number): string {
  return String(Math.round(value * 10) / 10);
}

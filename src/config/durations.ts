/**
 * HOCON durations (`30 minutes`, `30m`, a bare number is milliseconds) and ISO 8601 ones (`PT30M`). parse-duration
 * converts, but takes much for a duration that is none (`1h 30 bananas` is an hour, `1,5 h` is 15) and lacks some of
 * HOCON's unit names, so what it may see is decided here.
 */
import parse from 'parse-duration';

/** HOCON "Units format": each unit's names, and how parse-duration calls it. */
const unitNames: Readonly<Record<string, string>> = Object.fromEntries(
  (
    [
      ['ns', 'ns nano nanos nanosecond nanoseconds'],
      ['us', 'us micro micros microsecond microseconds'],
      ['ms', 'ms milli millis millisecond milliseconds'],
      ['s', 's second seconds'],
      ['m', 'm minute minutes'],
      ['h', 'h hour hours'],
      ['d', 'd day days'],
    ] as const
  ).flatMap(([unit, names]) => names.split(' ').map((name) => [name, unit])),
);

/** Days to seconds; months and years have no fixed length. */
const isoDuration = /^P(?=[\dT])(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?$/;
const hoconDuration = /^([+-]?\d+(?:\.\d+)?)\s*([A-Za-z]*)$/;

/** The duration in milliseconds, or undefined when the text or number is none. Negative ones are given as they are. */
export function readDurationMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (isoDuration.test(text)) return parse(text) ?? undefined;
  const match = hoconDuration.exec(text);
  if (match === null) return undefined;
  const [, amount = '', name = ''] = match;
  const unit = name === '' ? 'ms' : Object.hasOwn(unitNames, name) ? unitNames[name] : undefined;
  return unit === undefined ? undefined : (parse(`${amount}${unit}`) ?? undefined);
}

/** The shortest HOCON duration that reads back as this, `30 minutes`. */
export function writeDuration(ms: number): string {
  for (const [unit, length] of [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1_000]] as const) {
    if (ms >= length && ms % length === 0) return `${ms / length} ${unit}${ms === length ? '' : 's'}`;
  }
  return `${ms} ms`;
}

/** What processes of any kind cost, as Linux counts it under /proc: the same measure for a program of ours and for somebody else's. */
import { readdirSync, readFileSync } from 'node:fs';

/** Of a second of the processor's time, as /proc tells it: USER_HZ, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** The processes of a group, its leader's children included; proc(5). */
export function groupOf(leader: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && statOf(pid)?.[2] === String(leader));
}

/** User and system time of these processes since they began, seconds. */
export function cpuSecondsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = statOf(pid) ?? [];
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / ticksPerSecond;
}

/** Resident memory of these processes, bytes; what they share is counted once (PSS). */
export function memoryOf(pids: readonly number[]): number {
  let kilobytes = 0;
  for (const pid of pids) kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  return kilobytes * 1024;
}

/** The fields of /proc/PID/stat from the third on: the second is a name that may hold anything, and ends with the last parenthesis. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It has ended since it was listed.
    return undefined;
  }
}

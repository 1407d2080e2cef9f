/**
 * What differs between two session descriptions, stream by stream and line by line: a hold is one line, and one line is what is shown.
 * Lines of the same stream are compared without regard to their order, which means nothing (RFC 8866 section 5 but for `m=` itself).
 */

/** @returns lines with `- ` or `+ ` before them, below the `m=` line that they belong to when it is the same in both */
export function changesOf(before: string, after: string): string[] {
  const [old, now] = [sectionsOf(before), sectionsOf(after)];
  const changes: string[] = [];
  for (let index = 0; index < Math.max(old.length, now.length); index += 1) {
    const [gone, come] = compared(old[index] ?? [], now[index] ?? []);
    if (gone.length + come.length === 0) continue;
    const head = now[index]?.[0] ?? '';
    if (head.startsWith('m=') && !come.includes(head)) changes.push(`  ${head}`);
    changes.push(...gone.map((line) => `- ${line}`), ...come.map((line) => `+ ${line}`));
  }
  return changes;
}

function sectionsOf(sdp: string): string[][] {
  const sections: string[][] = [[]];
  for (const line of sdp.split(/\r?\n/)) {
    if (line === '') continue;
    if (line.startsWith('m=')) sections.push([]);
    sections.at(-1)?.push(line);
  }
  return sections;
}

function compared(old: readonly string[], now: readonly string[]): [gone: string[], come: string[]] {
  const [had, has] = [new Set(old), new Set(now)];
  return [old.filter((line) => !has.has(line)), now.filter((line) => !had.has(line))];
}

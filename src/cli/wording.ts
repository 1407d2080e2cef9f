/** How the commands count, list and show examples. */

/** More problems than this are counted, not told. */
const mostProblems = 100;

/** `1 mapping`, `2,000 mappings` */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Indented, a line each. */
export function list(problems: readonly string[]): string {
  const told = problems.slice(0, mostProblems).map((problem) => `  ${problem}\n`);
  const rest = problems.length - told.length;
  return told.join('') + (rest > 0 ? `  and ${rest} more\n` : '');
}

/** For the end of a help text. */
export function example(...lines: string[]): string {
  return `\nExample${lines.length === 1 ? '' : 's'}:\n${lines.map((line) => `  $ dialog-sip ${line}\n`).join('')}`;
}

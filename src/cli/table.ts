/** A table for a terminal of 80 columns. Columns have fixed widths, so that a long table is written as it is read. */
export interface Column<Row> {
  title: string;
  width: number;
  right?: boolean;
  cell: (row: Row) => string;
}

export interface Table<Row> {
  header: () => string;
  line: (row: Row) => string;
}

/** @param columns with two blanks between them at most 80 wide */
export function table<Row>(columns: readonly Column<Row>[]): Table<Row> {
  const write = (cells: readonly string[]): string =>
    `${columns
      .map(({ width, right }, index) => {
        const text = shorten(printable(cells[index] ?? ''), width);
        return right === true ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd()}\n`;
  return {
    header: () => write(columns.map((column) => column.title)),
    line: (row) => write(columns.map((column) => column.cell(row))),
  };
}

/** Lines of at most `width`, broken at blanks; a word that is longer gives way in its middle. */
export function wrap(text: string, width: number): string[] {
  return fold(text, width).map((line) => shorten(line, width));
}

/** Lines of at most `width`, broken at blanks; a word that is longer has a line of its own. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of printable(text).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function indent(lines: readonly string[], by: number): string {
  return lines.map((line) => `${' '.repeat(by)}${line}\n`).join('');
}

/** What comes from elsewhere must not steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

/** The middle gives way: an account is known by its beginning and its port. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`;
}

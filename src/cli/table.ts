/** Tables and lines for a terminal. Columns have their widths before the first row, so that a long table is written as it is read. */
export interface Column<Row> {
  title: string;
  /** In a table of 80. */
  width: number;
  /** Has its share of what the terminal is wider, or narrower, than that. */
  stretches?: boolean;
  right?: boolean;
  cell: (row: Row) => string;
}

export interface Table<Row> {
  header: () => string;
  line: (row: Row) => string;
}

const usualWidth = 80;
/** Further apart, the cells of a row are hard to follow. */
const widest = 160;
const narrowest = 40;
const narrowestColumn = 8;

/** How wide to write, on a terminal of so many columns; undefined for a file or a pipe. */
export function widthFor(terminalColumns: number | undefined): number {
  return Math.min(Math.max(terminalColumns ?? usualWidth, narrowest), widest);
}

/**
 * @param columns with two blanks between them at most 80 wide
 * @param width of {@link widthFor}
 */
export function table<Row>(columns: readonly Column<Row>[], width = usualWidth): Table<Row> {
  const share = Math.floor((width - usualWidth) / columns.filter(({ stretches }) => stretches).length);
  const widths = columns.map(({ width: usual, stretches }) => (stretches === true ? Math.max(narrowestColumn, usual + share) : usual));
  const write = (cells: readonly string[]): string =>
    `${columns
      .map(({ right }, index) => {
        const wide = widths[index] ?? 0;
        const text = shorten(printable(cells[index] ?? ''), wide);
        return right === true ? text.padStart(wide) : text.padEnd(wide);
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

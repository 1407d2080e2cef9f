/** Mappings as a table for a terminal of 80 columns. Columns have fixed widths, so that a long table is written as it is read. */
import type { ShownMapping } from '../extension/mapping-operations.js';

interface Column {
  title: string;
  width: number;
  right?: boolean;
  cell: (mapping: ShownMapping) => string;
}

const peerTypes = { 1: 'user', 2: 'group', 4: 'sip' };

/** With two blanks between them 79 wide. */
const columns: readonly Column[] = [
  { title: 'id', width: 8, right: true, cell: (mapping) => String(mapping.id) },
  { title: 'SIP account', width: 29, cell: (mapping) => mapping.account },
  { title: 'via', width: 3, cell: (mapping) => mapping.transport },
  { title: 'peer', width: 14, cell: ({ peer }) => `${peerTypes[peer.type]} ${peer.type === 4 && peer.strId !== undefined ? peer.strId : String(peer.id)}` },
  { title: 'reg', width: 3, cell: (mapping) => yesOrNo(mapping.register) },
  { title: 'out', width: 3, cell: (mapping) => yesOrNo(mapping.canCall) },
  { title: 'in', width: 3, cell: (mapping) => yesOrNo(mapping.canBeCalled) },
];

export function tableHeader(): string {
  return writeLine(columns.map((column) => column.title));
}

export function tableLine(mapping: ShownMapping): string {
  return writeLine(columns.map((column) => column.cell(mapping)));
}

function writeLine(cells: readonly string[]): string {
  return `${columns
    .map(({ width, right }, index) => {
      const text = shorten(cells[index] ?? '', width);
      return right === true ? text.padStart(width) : text.padEnd(width);
    })
    .join('  ')
    .trimEnd()}\n`;
}

/** The middle gives way: an account is known by its beginning and its port. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`;
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** Mappings as a table. */
import type { ShownMapping } from '../extension/mapping-operations.js';
import { table, type Table } from './table.js';

const peerTypes = { 1: 'user', 2: 'group', 4: 'sip' };

/** @param width columns of the terminal */
export function mappingTable(width: number): Table<ShownMapping> {
  return table<ShownMapping>([
    // With two blanks between them 79 wide.
    { title: 'id', width: 8, right: true, cell: (mapping) => String(mapping.id) },
    { title: 'SIP account', width: 29, stretches: true, cell: (mapping) => mapping.account },
    { title: 'via', width: 3, cell: (mapping) => mapping.transport },
    { title: 'peer', width: 14, stretches: true, cell: ({ peer }) => `${peerTypes[peer.type]} ${peer.type === 4 && peer.strId !== undefined ? peer.strId : String(peer.id)}` },
    { title: 'reg', width: 3, cell: (mapping) => yesOrNo(mapping.register) },
    { title: 'out', width: 3, cell: (mapping) => yesOrNo(mapping.canCall) },
    { title: 'in', width: 3, cell: (mapping) => yesOrNo(mapping.canBeCalled) },
  ], width);
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

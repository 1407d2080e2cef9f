/** Mappings as a table for a terminal of 80 columns. */
import type { ShownMapping } from '../extension/mapping-operations.js';
import { table } from './table.js';

const peerTypes = { 1: 'user', 2: 'group', 4: 'sip' };

/** With two blanks between them 79 wide. */
export const mappingTable = table<ShownMapping>([
  { title: 'id', width: 8, right: true, cell: (mapping) => String(mapping.id) },
  { title: 'SIP account', width: 29, cell: (mapping) => mapping.account },
  { title: 'via', width: 3, cell: (mapping) => mapping.transport },
  { title: 'peer', width: 14, cell: ({ peer }) => `${peerTypes[peer.type]} ${peer.type === 4 && peer.strId !== undefined ? peer.strId : String(peer.id)}` },
  { title: 'reg', width: 3, cell: (mapping) => yesOrNo(mapping.register) },
  { title: 'out', width: 3, cell: (mapping) => yesOrNo(mapping.canCall) },
  { title: 'in', width: 3, cell: (mapping) => yesOrNo(mapping.canBeCalled) },
]);

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

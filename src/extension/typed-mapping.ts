/** What a person types about a mapping, field by field, on a command line or in a form; and what becomes of it in the table. */
import { MappingError } from '../base/errors.js';
import type { MappingReader } from '../mappings/mapping-reader.js';
import type { MappingWriter } from '../mappings/mapping-writer.js';
import type { Mapping, MappingColumn } from '../mappings/mapping.js';
import { parseMappingColumns, parseMappingRow } from '../mappings/parse-mapping.js';

/** What is typed about a mapping, not judged yet. Absent: the table's default, or as it was. */
export interface TypedMapping {
  sipUser?: string;
  sipPassword?: string;
  sipHost?: string;
  sipPort?: string | number;
  transport?: string;
  /** The verb, Host header and path of the WebSocket handshake. */
  method?: string;
  hostHeader?: string;
  location?: string;
  peerType?: string | number;
  peerId?: string | number;
  peerStrId?: string;
  register?: boolean;
  canCall?: boolean;
  canBeCalled?: boolean;
  authUser?: string;
  displayName?: string;
}

/** @throws MappingError MAPPING_INVALID, MAPPING_CONFLICT */
export async function addTyped(writer: Pick<MappingWriter, 'insert'>, typed: TypedMapping): Promise<Mapping> {
  return writer.insert(parseMappingColumns(typedColumns(typed)));
}

/** A row that cannot be used can be set right so. @throws MappingError MAPPING_NOT_FOUND, MAPPING_INVALID, MAPPING_CONFLICT */
export async function changeTyped(reader: Pick<MappingReader, 'row'>, writer: Pick<MappingWriter, 'update'>, id: number, typed: TypedMapping): Promise<Mapping> {
  const judged = parseMappingRow(await reader.row(id));
  return writer.update(id, typedColumns(typed, 'mapping' in judged ? judged.mapping : undefined));
}

const plainColumns: readonly (readonly [keyof TypedMapping, MappingColumn])[] = [
  ['sipUser', 'sip_user'],
  ['sipPassword', 'sip_password'],
  ['sipHost', 'sip_host'],
  ['sipPort', 'sip_port'],
  ['peerType', 'peer_type'],
  ['peerId', 'peer_id'],
  ['peerStrId', 'peer_str_id'],
  ['register', 'register'],
  ['canCall', 'can_call'],
  ['canBeCalled', 'can_be_called'],
  ['authUser', 'auth_user'],
  ['displayName', 'display_name'],
];

function typedColumns(typed: TypedMapping, present?: Mapping): Partial<Record<MappingColumn, unknown>> {
  const columns: Partial<Record<MappingColumn, unknown>> = {};
  for (const [field, column] of plainColumns) {
    if (typed[field] !== undefined) columns[column] = typed[field];
  }
  return Object.assign(columns, typedReach(typed, present));
}

/** `sip_parameters` and `sip_headers` are written whole: what is not typed is taken from what is there. */
function typedReach(typed: TypedMapping, present: Mapping | undefined): Partial<Record<MappingColumn, string>> {
  const { transport, method, hostHeader, location } = typed;
  const handshake = { method, 'host-header': hostHeader, location };
  const given = Object.entries(handshake).filter(([, value]) => value !== undefined);
  if (transport === undefined && given.length === 0) return {};
  const chosen = transport ?? present?.transport ?? 'udp';
  const [misplaced] = given;
  if (misplaced !== undefined && !/^wss?$/i.test(chosen)) {
    throw new MappingError('MAPPING_INVALID', `${misplaced[0]} is for the transports ws and wss, this one is ${chosen}`, { fields: ['sip_parameters'] });
  }
  const { webSocket } = present ?? {};
  return {
    sip_parameters: JSON.stringify({ transport: chosen, method: method ?? webSocket?.method }),
    sip_headers: JSON.stringify({ host: hostHeader ?? webSocket?.host, location: location ?? webSocket?.location }),
  };
}

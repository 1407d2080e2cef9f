/**
 * Mappings as the administration interface sees and changes them: the table itself, rows that cannot be used among them. What is written is
 * taken up at once, before the database tells of it.
 */
import type { AdminImport, AdminMappings } from '../admin/ports.js';
import type { MappingBody, ShownMapping } from '../admin/shapes.js';
import { MappingError } from '../base/errors.js';
import type { Row } from '../mappings/mapping-table.js';
import type { MappingImport } from '../mappings/mapping-import.js';
import type { MappingReader } from '../mappings/mapping-reader.js';
import type { MappingWriter } from '../mappings/mapping-writer.js';
import type { Mapping } from '../mappings/mapping.js';
import { parseMappingRow } from '../mappings/parse-mapping.js';
import type { Roster } from './roster.js';
import { addTyped, changeTyped } from './typed-mapping.js';

/** Of what stands in a column and is not what should. */
const longestShown = 255;

export class MappingDesk implements AdminMappings {
  constructor(
    private readonly reader: Pick<MappingReader, 'search' | 'row'>,
    private readonly writer: Pick<MappingWriter, 'insert' | 'update' | 'remove'>,
    private readonly roster: Pick<Roster, 'put' | 'remove' | 'problemOf'>,
    private readonly imports: Pick<MappingImport, 'run'>,
  ) {}

  async page(query: { text?: string; afterId: number; limit: number }): Promise<ShownMapping[]> {
    return (await this.reader.search(query)).map((row) => this.#showRow(row));
  }

  async find(mappingId: number): Promise<ShownMapping> {
    return this.#showRow((await this.reader.row(mappingId)) ?? missing(mappingId));
  }

  async add(typed: MappingBody): Promise<ShownMapping> {
    return this.#takeUp(await addTyped(this.writer, typed));
  }

  async change(mappingId: number, typed: MappingBody): Promise<ShownMapping> {
    return this.#takeUp(await changeTyped(this.reader, this.writer, mappingId, typed));
  }

  async remove(mappingId: number): Promise<ShownMapping> {
    const shown = await this.find(mappingId);
    if (!(await this.writer.remove(mappingId))) missing(mappingId);
    this.roster.remove(mappingId);
    return shown;
  }

  /** What comes of it is heard from the database, as of any change of many. */
  importCsv(file: Buffer, options: { dryRun: boolean }): Promise<AdminImport> {
    return this.imports.run(file, options);
  }

  #takeUp(mapping: Mapping): ShownMapping {
    this.roster.put(mapping);
    return this.#show(mapping);
  }

  #showRow(row: Row): ShownMapping {
    const judged = parseMappingRow(row);
    return 'mapping' in judged ? this.#show(judged.mapping) : showUnusable(row, judged.rejected.problem);
  }

  #show(mapping: Mapping): ShownMapping {
    const { id, sipUser, sipPassword, sipHost, sipPort, transport, webSocket, peer, register, canCall, canBeCalled, authUser, displayName } = mapping;
    const problem = this.roster.problemOf(id);
    return {
      id,
      sipUser,
      hasPassword: sipPassword !== '',
      sipHost,
      sipPort,
      transport,
      ...(webSocket === undefined ? {} : { method: webSocket.method, location: webSocket.location }),
      ...(webSocket?.host === undefined ? {} : { hostHeader: webSocket.host }),
      peerType: peer.type,
      peerId: peer.id,
      ...(peer.strId === undefined ? {} : { peerStrId: peer.strId }),
      register,
      canCall,
      canBeCalled,
      ...(authUser === undefined ? {} : { authUser }),
      ...(displayName === undefined ? {} : { displayName }),
      ...(problem === undefined ? {} : { problem }),
    };
  }
}

/** As far as it can be read; its password is not. */
function showUnusable(row: Row, problem: string): ShownMapping {
  const parameters: unknown = row.sip_parameters;
  const transport = typeof parameters === 'object' && parameters !== null && 'transport' in parameters ? parameters.transport : '';
  return {
    id: numberOf(row.id),
    sipUser: textOf(row.sip_user),
    hasPassword: textOf(row.sip_password) !== '',
    sipHost: textOf(row.sip_host),
    sipPort: numberOf(row.sip_port),
    transport: textOf(transport),
    peerType: numberOf(row.peer_type),
    peerId: numberOf(row.peer_id),
    peerStrId: textOf(row.peer_str_id),
    register: row.register === true,
    canCall: row.can_call === true,
    canBeCalled: row.can_be_called === true,
    authUser: textOf(row.auth_user),
    displayName: textOf(row.display_name),
    problem,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, longestShown) : '';
}

function numberOf(value: unknown): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : 0;
}

function missing(mappingId: number): never {
  throw new MappingError('MAPPING_NOT_FOUND', `There is no mapping ${mappingId}.`);
}

/**
 * sip_user_mappings of a real PostgreSQL as an operator fills it: plain SQL with the guide's columns and no other. The
 * table is the one that the original made (no id, JSON as text), so every spec adopts it on the way.
 */
import { Client, type QueryResultRow } from 'pg';
import { startPostgres } from './postgres.js';
import type { Transport } from './kamailio-config.js';

export interface MappingRow {
  user: string;
  password: string;
  host?: string;
  port: number;
  transport?: Transport;
  /** Instead of what the guide says for `transport`. */
  parameters?: string;
  peerId: number;
  register?: boolean;
  canCall?: boolean;
  canBeCalled?: boolean;
}

const originalTable = `
  create table sip_user_mappings (
    sip_user varchar(255) not null, sip_password varchar(255) not null, sip_host varchar(255) not null,
    sip_port integer not null, sip_parameters text not null, sip_headers text not null, peer_type integer not null,
    peer_id integer not null, peer_str_id varchar(255), register boolean not null, can_call boolean not null,
    can_be_called boolean not null)`;

export class MappingsTable {
  private constructor(
    /** `services.postgresql` of server.conf. */
    readonly settings: Record<string, unknown>,
    private readonly client: Client,
    private readonly release: () => Promise<void>,
  ) {}

  static async start(): Promise<MappingsTable> {
    const postgres = await startPostgres();
    const { host, port, db, user, password } = postgres.settings;
    const client = new Client({ host, port, database: db, user, password });
    await client.connect();
    return new MappingsTable({ host, port, db, user, password }, client, () => postgres.stop());
  }

  /** The table as on the first day, with these rows. */
  async replace(rows: readonly MappingRow[]): Promise<void> {
    await this.client.query('drop schema public cascade; create schema public');
    await this.client.query(originalTable);
    await this.client.query(
      `insert into sip_user_mappings
       select * from jsonb_to_recordset($1) as row (
         sip_user text, sip_password text, sip_host text, sip_port int, sip_parameters text, sip_headers text, peer_type int,
         peer_id int, peer_str_id text, register boolean, can_call boolean, can_be_called boolean)`,
      [JSON.stringify(rows.map(columnsOf))],
    );
  }

  /** Of any table of that database. */
  async rows<Row extends QueryResultRow>(sql: string): Promise<Row[]> {
    return (await this.client.query<Row>(sql)).rows;
  }

  async stop(): Promise<void> {
    await this.client.end();
    await this.release();
  }
}

function columnsOf(row: MappingRow): Record<string, string | number | boolean | null> {
  const transport = row.transport ?? 'udp';
  const host = row.host ?? '127.0.0.1';
  const isWebSocket = transport === 'ws' || transport === 'wss';
  return {
    sip_user: row.user,
    sip_password: row.password,
    sip_host: host,
    sip_port: row.port,
    sip_parameters: row.parameters ?? JSON.stringify(isWebSocket ? { transport, method: 'GET' } : { transport }),
    sip_headers: JSON.stringify(isWebSocket ? { host: `${host}:${row.port}` } : {}),
    peer_type: 1,
    peer_id: row.peerId,
    peer_str_id: null,
    register: row.register ?? true,
    can_call: row.canCall ?? true,
    can_be_called: row.canBeCalled ?? true,
  };
}

/**
 * Which of many drafts are new, which are in the table already, and which cannot be added beside what is there: judged against rows that were
 * read together, by the same rules as a single one. Pure.
 */
import type { Row } from './mapping-table.js';
import { sayAccount, type MappingDraft } from './mapping.js';
import { parseMappingRow, parseMappingRows, sayUnusable } from './parse-mapping.js';

/** A draft of a bulk insert that is in the table, or in the same bulk, already. */
export interface DraftConflict {
  /** Its place among the drafts, from 0. */
  index: number;
  problem: string;
}

/** A draft that is to be added. */
export interface FreshDraft {
  /** Its place among the drafts, from 0. */
  readonly index: number;
  readonly draft: MappingDraft;
}

/** By rule: a peer that has a mapping at that host keeps it, and a SIP user there belongs to one peer. */
export function siftAbsent(
  drafts: readonly MappingDraft[],
  rows: readonly Row[],
): { fresh: FreshDraft[]; present: number; conflicts: DraftConflict[] } {
  const ofPeers = firstBy(rows, (row) => peerAt(row.peer_type, row.peer_id, row.peer_str_id, row.sip_host));
  const ofAccounts = firstBy(rows, (row) => accountAt(row.sip_user, row.sip_host));
  const fresh = new Map<string, FreshDraft>();
  const conflicts: DraftConflict[] = [];
  let present = 0;
  drafts.forEach((draft, index) => {
    const { peer, sipUser, sipHost } = draft;
    const key = peerAt(peer.type, peer.id, peer.strId, sipHost);
    const own = ofPeers.get(key);
    const holder = ofAccounts.get(accountAt(sipUser, sipHost));
    const judged = own && parseMappingRow(own);
    if (judged !== undefined && 'rejected' in judged) conflicts.push({ index, problem: sayUnusable(judged.rejected) });
    else if (judged !== undefined || fresh.has(key)) present += 1;
    else if (holder !== undefined) conflicts.push({ index, problem: sayHeld(draft, holder) });
    else fresh.set(key, { index, draft });
  });
  return { fresh: [...fresh.values()], present, conflicts };
}

/** As they are given: the same peer may not have the same SIP user at the same host twice. @param rows all with one of their SIP users */
export function siftTwins(drafts: readonly MappingDraft[], rows: readonly Row[]): { fresh: FreshDraft[]; conflicts: DraftConflict[] } {
  const holders = new Map(parseMappingRows(rows).mappings.map((mapping) => [twinKey(mapping), `mapping ${mapping.id}`]));
  const fresh: FreshDraft[] = [];
  const conflicts: DraftConflict[] = [];
  drafts.forEach((draft, index) => {
    const key = twinKey(draft);
    const holder = holders.get(key);
    if (holder === undefined) fresh.push({ index, draft });
    else conflicts.push({ index, problem: sayTwin(draft, holder) });
    if (holder === undefined) holders.set(key, 'a row before it');
  });
  return { fresh, conflicts };
}

export function sayHeld({ sipUser, sipHost }: MappingDraft, holder: Row): string {
  return `${sipUser}@${sipHost} belongs to another peer already: ${sayPeerOf(holder)}, mapping ${holder.id}`;
}

function firstBy(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row> {
  const first = new Map<string, Row>();
  for (const row of rows) if (!first.has(keyOf(row))) first.set(keyOf(row), row);
  return first;
}

/** As `isPeer` and `atHost` have it. */
function peerAt(type: unknown, id: unknown, strId: unknown, host: unknown): string {
  return JSON.stringify([Number(type), String(id), Number(type) === 4 ? (strId ?? '') : '', plainHost(host)]);
}

function accountAt(user: unknown, host: unknown): string {
  return JSON.stringify([user, plainHost(host)]);
}

function plainHost(host: unknown): string {
  return String(host).toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

/** The same for two mappings that may not be there both. */
export function twinKey(draft: MappingDraft): string {
  const { type, id, strId = '' } = draft.peer;
  return JSON.stringify([draft.sipUser, draft.sipHost.toLowerCase(), type, id, type === 4 ? strId : '']);
}

export function sayTwin(draft: MappingDraft, holder: string): string {
  return `${sayAccount(draft)} is mapped to peer ${draft.peer.id} (type ${draft.peer.type}) already: ${holder}`;
}

function sayPeerOf(row: Row): string {
  return `peer ${String(row.peer_id)} (type ${String(row.peer_type)})`;
}

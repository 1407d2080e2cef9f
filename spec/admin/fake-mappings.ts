/** Mappings as the administration interface is given them: a list that a spec fills, and what was typed about them. */
import type { AdminImport, AdminMappings } from '../../src/admin/ports.js';
import type { MappingBody, ShownMapping } from '../../src/admin/shapes.js';
import { MappingError } from '../../src/base/errors.js';

export class FakeMappings implements AdminMappings {
  readonly all: ShownMapping[] = [];
  /** What was typed, in order. */
  readonly typed: MappingBody[] = [];
  readonly asked: { text?: string; afterId: number; limit: number }[] = [];
  /** Thrown by the next change. */
  refusal: MappingError | undefined;

  fill(count: number): void {
    for (let id = 1; id <= count; id += 1) this.all.push(mapped(id));
  }

  page(query: { text?: string; afterId: number; limit: number }): Promise<ShownMapping[]> {
    this.asked.push(query);
    return Promise.resolve(this.all.filter((each) => each.id > query.afterId && each.sipUser.includes(query.text ?? '')).slice(0, query.limit));
  }

  async find(mappingId: number): Promise<ShownMapping> {
    const found = this.all.find((each) => each.id === mappingId);
    if (found === undefined) throw new MappingError('MAPPING_NOT_FOUND', `There is no mapping ${mappingId}.`);
    return Promise.resolve(found);
  }

  async add(typed: MappingBody): Promise<ShownMapping> {
    this.#take(typed);
    const added = mapped(this.all.length + 1, { sipUser: typed.sipUser, hasPassword: typed.sipPassword !== undefined });
    this.all.push(added);
    return Promise.resolve(added);
  }

  async change(mappingId: number, typed: MappingBody): Promise<ShownMapping> {
    const found = await this.find(mappingId);
    this.#take(typed);
    return found;
  }

  async remove(mappingId: number): Promise<ShownMapping> {
    const found = await this.find(mappingId);
    this.all.splice(this.all.indexOf(found), 1);
    return found;
  }

  /** Each file that was imported, its length, and whether it was to be written. */
  readonly imported: { bytes: number; start: string; dryRun: boolean }[] = [];
  outcome: AdminImport = { rows: 2, inserted: 1, updated: 1, unchanged: 0, errorCount: 0, errors: [] };
  /** While an import goes on. */
  importing: Promise<unknown> = Promise.resolve();

  async importCsv(file: Buffer, { dryRun }: { dryRun: boolean }): Promise<AdminImport> {
    this.imported.push({ bytes: file.length, start: file.toString('utf8', 0, 20), dryRun });
    await this.importing;
    return this.outcome;
  }

  #take(typed: MappingBody): void {
    this.typed.push(typed);
    if (this.refusal !== undefined) throw this.refusal;
  }
}

function mapped(id: number, change: Partial<ShownMapping> = {}): ShownMapping {
  return {
    id,
    sipUser: String(400 + id),
    hasPassword: true,
    sipHost: 'pbx.example.com',
    sipPort: 5060,
    transport: 'udp',
    peerType: 1,
    peerId: 400 + id,
    register: true,
    canCall: true,
    canBeCalled: true,
    ...change,
  };
}

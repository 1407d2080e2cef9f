/** Follows the table of mappings: what is told by the database is heard before a row is read, so that nothing is missed between. */
import type { Knex } from 'knex';
import { MappingChanges } from '../../mappings/changes.js';
import { Listener } from '../../mappings/listener.js';
import { listeningOver } from '../../mappings/listening.js';
import type { MappingReader } from '../../mappings/mapping-reader.js';
import type { Roster } from '../roster.js';
import type { Ground } from './ground.js';

/** @returns what reads the rows, when asked to, and follows them from then on */
export async function followChanges(knex: Knex, rows: MappingReader, sink: Roster, ground: Ground): Promise<MappingChanges> {
  const { clock, random, releasers } = ground;
  const changes = new MappingChanges({ ...ground, rows, sink });
  releasers.add('the changes of mappings', () => changes.close());
  const open = listeningOver(knex);
  if (open === undefined) {
    changes.onDeaf('the pool that the host hands over has no way to listen.');
    return changes;
  }
  const listener = new Listener(
    open,
    {
      onHeard: (payload) => {
        changes.onHeard(payload);
      },
      onUp: () => {
        changes.onListening();
      },
      onDown: (why) => {
        changes.onDeaf(why);
      },
    },
    clock,
    random,
  );
  releasers.add('the listener', () => listener.close());
  await listener.start();
  return changes;
}

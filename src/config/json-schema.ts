/**
 * The JSON Schema of server.conf, made from the zod schema, for editors and for people who look a key up. The copy in
 * `schema/server.conf.schema.json` is kept true by a spec, which also rewrites it (`vitest -u`).
 */
import * as z from 'zod';
import { writeDuration } from './durations.js';
import { serverConfSchema } from './keys.js';
import { durationFormat, isRecord } from './values.js';

/** The whole schema, plain JSON. */
export function serverConfJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(serverConfSchema, {
    override: ({ jsonSchema }) => {
      // Keys with a default need not be written.
      delete jsonSchema.required;
      if (isRecord(jsonSchema.default) && Object.keys(jsonSchema.default).length === 0) delete jsonSchema.default;
      if (jsonSchema.format !== durationFormat) return;
      // Written as `30 minutes`; the limits, which are of milliseconds, stand in the description.
      delete jsonSchema.minimum;
      delete jsonSchema.maximum;
      Object.assign(jsonSchema, { type: ['string', 'number'] });
      if (typeof jsonSchema.default === 'number') jsonSchema.default = writeDuration(jsonSchema.default);
    },
  });
  return { ...schema, title: 'server.conf: modules.sip and services.postgresql' };
}

const root = serverConfJsonSchema();

/** The keys known in the section at that path; none for a path that is no section. */
export function knownKeys(path: readonly string[]): string[] {
  let section: unknown = root;
  for (const part of path) {
    if (isRecord(section) && isRecord(section.items) && /^\d+$/.test(part)) {
      section = section.items;
      continue;
    }
    const properties = isRecord(section) ? section.properties : undefined;
    section = isRecord(properties) && Object.hasOwn(properties, part) ? properties[part] : undefined;
  }
  const properties = isRecord(section) ? section.properties : undefined;
  return isRecord(properties) ? Object.keys(properties) : [];
}

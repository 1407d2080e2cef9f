import { describe, expect, it } from 'vitest';
import { serverConfJsonSchema } from '../../src/config/json-schema.js';

interface Node {
  description?: string;
  properties?: Record<string, Node>;
}

describe('the JSON Schema of server.conf', () => {
  it('is the one in schema/', async () => {
    await expect(`${JSON.stringify(serverConfJsonSchema(), null, 2)}\n`).toMatchFileSnapshot('../../schema/server.conf.schema.json');
  });

  it('explains every key of modules.sip and services.postgresql', () => {
    const unexplained: string[] = [];
    const visit = (node: Node, path: string[]): void => {
      for (const [name, child] of Object.entries(node.properties ?? {})) {
        if (path.length > 0 && child.description === undefined) unexplained.push([...path, name].join('.'));
        visit(child, [...path, name]);
      }
    };
    const root = serverConfJsonSchema() as Node;
    visit(root, []);
    expect(unexplained).toEqual([]);
    expect(Object.keys(root.properties?.modules?.properties?.sip?.properties ?? {})).toContain('trace-level');
  });

  it('writes durations as people do', () => {
    const root = serverConfJsonSchema() as Node;
    expect(root.properties?.modules?.properties?.sip?.properties?.register?.properties?.expires).toMatchObject({
      type: ['string', 'number'],
      default: '30 minutes',
    });
  });
});

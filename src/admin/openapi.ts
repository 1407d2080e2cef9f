/** The administration interface as OpenAPI 3.1: one table of what may be asked, over the schemas that requests and answers are checked by. */
import * as z from 'zod';
import {
  callPath,
  callsQuery,
  effectiveConfiguration,
  importQuery,
  importReport,
  issuedTicket,
  ladderQuery,
  liveCalls,
  logQuery,
  logTail,
  mappingBody,
  mappingPath,
  mappingsPage,
  mappingsQuery,
  pageQuery,
  recordsPage,
  recordsQuery,
  registrationsPage,
  shownHistory,
  shownMapping,
  shownRegistration,
  ticketQuery,
  untoldCalls,
} from './shapes.js';

interface Operation {
  readonly asks: `${'get' | 'post' | 'patch' | 'delete'} /${string}`;
  readonly summary: string;
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: { readonly type: string; readonly shape: z.ZodType };
  readonly status?: 200 | 201 | 202 | 204;
  /** Absent: nothing, or what is no JSON. */
  readonly answer?: z.ZodType;
}

const json = (shape: z.ZodType) => ({ type: 'application/json', shape });

export const operations: readonly Operation[] = [
  { asks: 'get /api/status', summary: 'What the extension says of itself', answer: z.looseObject({ ready: z.boolean(), nodeId: z.string(), uptimeMs: z.number() }) },
  { asks: 'get /api/config', summary: 'The configuration in force, secrets masked', answer: effectiveConfiguration },
  { asks: 'get /api/registrations', summary: 'Registrations, page by page', query: pageQuery, answer: registrationsPage },
  { asks: 'get /api/registrations/:mappingId', summary: 'One registration', path: mappingPath, answer: shownRegistration },
  { asks: 'post /api/registrations/:mappingId/register', summary: 'Try now; end a hold', path: mappingPath, status: 202, answer: shownRegistration },
  { asks: 'post /api/registrations/:mappingId/unregister', summary: 'Un-register now, and hold it so', path: mappingPath, status: 202, answer: shownRegistration },
  { asks: 'get /api/registrations/:mappingId/ladder', summary: 'What crossed for a registration', path: mappingPath, query: ladderQuery },
  { asks: 'get /api/mappings', summary: 'Mappings, page by page', query: mappingsQuery, answer: mappingsPage },
  { asks: 'get /api/mappings/:mappingId', summary: 'One mapping', path: mappingPath, answer: shownMapping },
  { asks: 'post /api/mappings', summary: 'Add a mapping', body: json(mappingBody), status: 201, answer: shownMapping },
  { asks: 'patch /api/mappings/:mappingId', summary: 'Change what is given of a mapping', path: mappingPath, body: json(mappingBody), answer: shownMapping },
  { asks: 'delete /api/mappings/:mappingId', summary: 'Un-register and remove a mapping', path: mappingPath, status: 204 },
  { asks: 'post /api/mappings/import', summary: 'Import a CSV file, all of it or nothing', query: importQuery, body: { type: 'text/csv', shape: z.string() }, answer: importReport },
  { asks: 'get /api/calls', summary: 'Calls that go on', query: callsQuery, answer: liveCalls },
  { asks: 'get /api/calls/records', summary: 'Calls that are over', query: recordsQuery, answer: recordsPage },
  { asks: 'get /api/calls/:callId/ladder', summary: 'What crossed for a call', path: callPath, query: ladderQuery },
  { asks: 'get /api/untold-calls', summary: 'SIP calls that were refused before the messenger heard of them', answer: untoldCalls },
  { asks: 'get /api/log', summary: 'The end of the log', query: logQuery, answer: logTail },
  { asks: 'get /api/history', summary: 'A sample each ten seconds, of an hour', answer: shownHistory },
  { asks: 'post /api/ticket', summary: 'A ticket for one WebSocket', answer: issuedTicket },
  { asks: 'get /api/events', summary: 'A WebSocket that tells what changes', query: ticketQuery },
  { asks: 'get /api/openapi.json', summary: 'This document', answer: z.looseObject({}) },
  { asks: 'get /metrics', summary: 'Prometheus’s text format' },
];

const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  /** Of a mapping: which fields of its form are at fault. */
  fields: z.array(z.string()).optional(),
});

export function openApi(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const [method = '', path = ''] = operation.asks.split(' ');
    (paths[path.replace(/:(\w+)/g, '{$1}')] ??= {})[method] = describe(operation);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'dialog-sip-extension: administration', version: '1' },
    security: [{ token: [] }],
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'modules.sip.admin.token' } }, schemas: { Problem: schemaOf(problem, 'output') } },
  };
}

function describe({ summary, path, query, body, status = 200, answer }: Operation): Record<string, unknown> {
  return {
    summary,
    parameters: [...parametersOf('path', path), ...parametersOf('query', query)],
    ...(body === undefined ? {} : { requestBody: { required: true, content: { [body.type]: { schema: schemaOf(body.shape, 'input') } } } }),
    responses: {
      [status]: { description: 'Done', ...(answer === undefined ? {} : { content: { 'application/json': { schema: schemaOf(answer, 'output') } } }) },
      default: { description: 'Refused', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  };
}

function parametersOf(place: 'path' | 'query', shape: z.ZodObject | undefined): Record<string, unknown>[] {
  return Object.entries(shape?.shape ?? {}).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || !z.safeParse(field as z.ZodType, undefined).success,
    schema: schemaOf(field as z.ZodType, 'input'),
  }));
}

/** As it crosses: before a text becomes a number, say. */
function schemaOf(shape: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  return Object.fromEntries(Object.entries(z.toJSONSchema(shape, { io })).filter(([name]) => name !== '$schema'));
}

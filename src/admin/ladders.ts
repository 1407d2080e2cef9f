/**
 * Ladders, drawn as is asked for:
 *
 *   GET /api/calls/:callId/ladder?as=json|text|svg|pcapng&messages=true
 *   GET /api/registrations/:mappingId/ladder?as=...
 *   GET /api/untold-calls      SIP calls that were refused before the messenger heard of them
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { checked } from '../base/problem.js';
import { drawSvg } from '../ladder/draw-svg.js';
import { drawText } from '../ladder/draw-text.js';
import type { Ladder } from '../ladder/ladder.js';
import { drawPcapng } from '../ladder/pcapng.js';
import type { AdminDependencies } from './ports.js';
import { callPath, ladderQuery, mappingPath, type LadderForm, type LadderQuery, type UntoldCalls } from './shapes.js';

const drawings: Record<LadderForm, { type: string; draw(ladder: Ladder, query: LadderQuery): string | Buffer }> = {
  json: { type: 'application/json', draw: (ladder) => JSON.stringify(ladder) },
  text: { type: 'text/plain; charset=utf-8', draw: (ladder, { width, messages }) => drawText(ladder, { width, messages }) },
  svg: { type: 'image/svg+xml', draw: (ladder) => drawSvg(ladder) },
  pcapng: { type: 'application/x-pcapng', draw: (ladder) => drawPcapng(ladder) },
};

export function serveLadders(app: FastifyInstance, { ladders }: Pick<AdminDependencies, 'ladders'>): void {
  app.get('/api/calls/:callId/ladder', (request, reply) => {
    const query = checked(ladderQuery, request.query);
    return drawn(reply, ladders.ofCall(checked(callPath, request.params).callId), query);
  });
  app.get('/api/registrations/:mappingId/ladder', (request, reply) => {
    const query = checked(ladderQuery, request.query);
    return drawn(reply, ladders.ofRegistration(checked(mappingPath, request.params).mappingId), query);
  });
  app.get('/api/untold-calls', (): UntoldCalls => ({ items: ladders.untold().map(({ at, ...call }) => ({ at: new Date(at).toISOString(), ...call })) }));
}

function drawn(reply: FastifyReply, ladder: Ladder, query: LadderQuery): FastifyReply {
  const drawing = drawings[query.as];
  return reply.type(drawing.type).send(drawing.draw(ladder, query));
}

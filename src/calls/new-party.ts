/** Whoever a call is transferred to, by the host or by the far end: looked for, and allowed or not, as if the user called them. */
import type { CallTarget, Peer } from '../host/contract.js';
import type { CallLimits } from './call-limits.js';
import type { CallPorts, CallSettings } from './ports.js';
import { routeOutgoing, type OutgoingDecision } from './routes.js';

export interface NewPartyRules {
  readonly settings: Pick<CallSettings, 'dialling'>;
  readonly ports: Pick<CallPorts, 'mappings'>;
  readonly limits: Pick<CallLimits, 'transfer'>;
  /** Whose call it is, and by which mapping. */
  readonly caller: { readonly from: Peer; readonly mappingId: number | undefined };
}

/** Where they are, or why the user may not have them called. */
export function wayToNewParty(to: CallTarget, { settings, ports, limits, caller }: NewPartyRules): OutgoingDecision {
  const { from, mappingId } = caller;
  const rules = { mappings: ports.mappings, dialling: settings.dialling };
  const decision = routeOutgoing(mappingId === undefined ? { from, to } : { from, to, mappingId }, rules);
  if ('refuse' in decision) return decision;
  const refuse = limits.transfer(from);
  return refuse === undefined ? decision : { refuse };
}

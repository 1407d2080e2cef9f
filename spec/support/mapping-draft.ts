import type { MappingDraft } from '../../src/mappings/mapping.js';

/** An account as most are; a spec changes what it is about. */
export const ordinaryDraft: MappingDraft = {
  sipUser: '434',
  sipPassword: '',
  sipHost: 'pbx.example.com',
  sipPort: 5060,
  transport: 'udp',
  peer: { type: 1, id: 434 },
  register: true,
  canCall: true,
  canBeCalled: true,
};

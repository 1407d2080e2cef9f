import type { AutocreateSettings } from '../../src/autocreate/template.js';

/** `modules.sip.autocreate` with the host alone. */
export const ordinarySettings: AutocreateSettings = {
  on: true,
  host: 'example.com',
  port: 5060,
  parameters: { transport: 'udp' },
  headers: {},
  register: true,
  canCall: true,
  canBeCalled: true,
  userPrefix: '',
  password: { mode: 'none' },
};

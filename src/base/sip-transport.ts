/** How SIP travels (RFC 3261 18, RFC 7118), as `sip_parameters` and the configuration write it. */
export const sipTransports = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;

export type SipTransport = (typeof sipTransports)[number];

/** TLS is beneath it. */
export function isSecured(transport: SipTransport | undefined): boolean {
  return transport === 'tls' || transport === 'wss';
}

/** Taking an address and port to listen at; what cannot be taken is told with what to do about it. */
import type { Address } from '../locating/name-service.js';
import { codeOf, sayFault, sayPlace, transportError } from './transport-fault.js';

export type ListeningTransport = 'udp' | 'tcp' | 'tls';

/** @throws ExtensionError SIP_TRANSPORT: what cannot be bound, why, what to do */
export async function bound<T>(transport: ListeningTransport, host: string, port: number, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (thrown) {
    const code = codeOf(thrown);
    const advice = bindAdvice(code, transport);
    const why = code === 'EADDRINUSE' ? 'another program has that port (EADDRINUSE)' : sayFault(thrown);
    throw transportError(`Cannot take SIP on ${sayPlace(transport, { address: host, port })}: ${why}. ${advice}`, thrown);
  }
}

/** Of a name with both families, the IPv4 address: what `localhost` means to most. @throws ExtensionError SIP_TRANSPORT */
export function addressToBind(addresses: readonly Address[]): string {
  const chosen = addresses.find(({ family }) => family === 4) ?? addresses[0];
  if (chosen === undefined) throw transportError('the name has no address');
  return chosen.address;
}

function bindAdvice(code: string | undefined, transport: ListeningTransport): string {
  const key = `modules.sip.listen.${transport}-port`;
  if (code === 'EADDRINUSE') return `Stop that program, or set ${key} to another port; 0 takes any free one.`;
  if (code === 'EACCES') return `Ports below 1024 need privileges: set ${key} to a higher one.`;
  if (code?.startsWith('ERR_') === true) return 'Check modules.sip.listen.tls.';
  return 'Set modules.sip.listen.host to an address of this machine, or to 0.0.0.0 for all of them.';
}

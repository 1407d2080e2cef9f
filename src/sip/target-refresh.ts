/** Where the far end of a dialog is: a target refresh request, and a 2xx to one of ours, say it anew (RFC 3261 12.2.1.2, 12.2.2). */
import { NameAddrHeader, type Dialog, type IncomingMessage, type URI } from 'sip.js/lib/core/index.js';
import { hasUsableContact } from './request-checks.js';

interface Targeted {
  readonly dialogState: { remoteTarget: URI };
}

/** Nothing changes when the message has no Contact that is a URI. */
export function refreshTarget(dialog: Dialog, message: IncomingMessage): void {
  const contact: unknown = hasUsableContact(message) ? message.parseHeader('contact') : undefined;
  if (contact instanceof NameAddrHeader) (dialog as unknown as Targeted).dialogState.remoteTarget = contact.uri; // SIP.js hides it
}

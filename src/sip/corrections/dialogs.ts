/** Corrections to SIP.js's dialogs. */
import { Dialog, NameAddrHeader, type IncomingResponseMessage, type URI } from 'sip.js/lib/core/index.js';
import { correct } from './pin.js';

interface DialogInternals {
  readonly dialogState: { routeSet: string[]; remoteTarget: URI };
}

export const dialogCorrections = [
  correct(
    Dialog.prototype,
    'recomputeRouteSet',
    '8f68b290',
    'RFC 3261 13.2.2.4, 12.2.1.2: the 2xx that confirms an early dialog brings its route set and its remote target; SIP.js keeps the target of the 1xx.',
    function (this: DialogInternals, response: IncomingResponseMessage): void {
      this.dialogState.routeSet = response.getHeaders('record-route').reverse();
      const contact: unknown = response.parseHeader('contact');
      if (contact instanceof NameAddrHeader) this.dialogState.remoteTarget = contact.uri;
    },
  ),
];

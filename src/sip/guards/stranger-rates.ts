/** How much is looked at of what those send who are no registrar of ours; the far end of a call gets its token back. */
import type { AddressRates } from '../../base/address-limit.js';

export const strangerRates: AddressRates = {
  each: { perSecond: 20, burst: 40 },
  all: { perSecond: 2_000, burst: 4_000 },
  mostAddresses: 4_096,
};

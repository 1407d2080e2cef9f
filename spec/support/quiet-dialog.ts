/** What happens in an answered call, for a spec that does not care: offers and transfers are refused. */
import type { DialogEvents } from '../../src/sip/types.js';

export const quietDialog: DialogEvents = {
  onBye: () => undefined,
  onOffer: (offer) => {
    offer.reject(488);
  },
  onAnswer: () => undefined,
  onReferral: (referral) => {
    referral.reject(603);
  },
  onTone: () => undefined,
  onLost: () => undefined,
};

/** What every view works with. */
import type { AdminSession } from './admin-session.js';
import type { Live } from './live.js';

export interface Desk {
  readonly session: AdminSession;
  readonly live: Live;
}

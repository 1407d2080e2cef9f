/** A call from the messenger that is up; what the host was told until then is forgotten. */
import type { FakeDialog } from '../support/fake-sip.js';
import { answerSdp, world, type World, type WorldOptions } from './call-fixture.js';

export async function talking(options: WorldOptions = {}): Promise<World & { dialog: FakeDialog }> {
  const made = world(options);
  await made.create();
  made.account.call.accept(answerSdp);
  made.updates.length = 0;
  return { ...made, dialog: made.account.call.dialog };
}

/** Draws what an operator asks for from what crossed lately, and says why there is nothing to draw. */
import type { AdminLadders } from '../admin/ports.js';
import { Refusal } from '../base/problem.js';
import { ladderOfCall, ladderOfRegistration, untoldCalls, type Ladder, type UntoldCall } from '../ladder/ladder.js';
import type { Recording } from '../ladder/recording.js';

/** Bounded, like every answer: those refused at the door may be many. */
const untoldAtMost = 200;

export class LadderDesk implements AdminLadders {
  /** @param recording undefined: nothing is kept */
  constructor(
    private readonly recording: Recording | undefined,
    private readonly registrations: { find(mappingId: number): { readonly aor: string } },
  ) {}

  ofCall(id: string): Ladder {
    return ladderOfCall(this.#kept(), id) ?? gone(`the call ${JSON.stringify(id)}`);
  }

  ofRegistration(mappingId: number): Ladder {
    const { aor } = this.registrations.find(mappingId);
    return ladderOfRegistration(this.#kept(), aor) ?? gone(`the registration of ${aor}`);
  }

  untold(): UntoldCall[] {
    return untoldCalls(this.#kept()).slice(0, untoldAtMost);
  }

  #kept(): Recording {
    if (this.recording === undefined) {
      throw new Refusal(404, 'NOTHING_RECORDED', 'Nothing is recorded: modules.sip.admin.ladder-megabytes is 0. Set it, and restart the server.');
    }
    return this.recording;
  }
}

function gone(what: string): never {
  throw new Refusal(
    404,
    'NOTHING_RECORDED',
    `Nothing is held of ${what}: it is unknown here, or so long ago that newer messages took its place (modules.sip.admin.ladder-megabytes).`,
  );
}

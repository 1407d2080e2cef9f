/** How quickly calls are begun: a new one when one has ended, or so many a second whatever becomes of them. */
export type Pace = { atOnce: number } | { perSecond: number };

const beatMs = 2;

/** Begins the first calls, at a rate all of them. With `atOnce` the caller begins the next when one has ended. */
export function beginCalls(pace: Pace, hasMore: () => boolean, begin: () => void): void {
  if ('atOnce' in pace) {
    for (let open = 0; open < pace.atOnce && hasMore(); open += 1) begin();
    return;
  }
  const start = performance.now();
  let begun = 0;
  const beat = setInterval(() => {
    for (; hasMore() && begun < ((performance.now() - start) / 1_000) * pace.perSecond; begun += 1) begin();
    if (!hasMore()) clearInterval(beat);
  }, beatMs);
}

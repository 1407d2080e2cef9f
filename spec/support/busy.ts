/** How long code keeps the processor, whatever else the machine does meanwhile. */

/** CPU milliseconds that `run` takes. */
export function busyMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** The least of at most five times, no more than are needed to stay within `enough`: once may be the compiler or the collector. */
export function leastBusyMs(run: () => void, enough: number): number {
  let least = busyMs(run);
  for (let times = 1; times < 5 && least > enough; times += 1) least = Math.min(least, busyMs(run));
  return least;
}

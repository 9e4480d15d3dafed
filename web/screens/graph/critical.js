/** Which runs of a chain decided when it was over. Pure. */

/**
 * @typedef {{run: string, job: string, state: string, verdict: string | null, createdAt: string, startedAt: string | null,
 *   endedAt: string | null, causes: string[], retryOf: string | null}} Step
 * @typedef {{run: string, job: string, standing: {state: string, verdict: string | null}, startsAfterMs: number, waitedMs: number,
 *   tookMs: number, endsAfterMs: number, live: boolean}} Stage `…AfterMs` count from when the first stage was recorded
 * @typedef {{stages: Stage[], totalMs: number, startedAt: number, links: Set<string>}} CriticalPath
 */

/**
 * The path that ends with what ended last, and goes back each time to the cause that ended last: had any of its runs been
 * faster, the chain would have been over sooner.
 *
 * @param {Step[]} steps
 * @param {number} now where runs end that have not ended yet
 * @returns {CriticalPath | null} null where nothing has begun
 */
export function criticalPath(steps, now) {
  const byRun = new Map(steps.map((step) => [step.run, step]));
  const end = (/** @type {Step} */ step) => (step.endedAt ? Date.parse(step.endedAt) : now);
  let last = null;
  for (const step of steps) if (!last || end(step) > end(last)) last = step;
  if (!last) return null;

  /** @type {Step[]} */
  const path = [];
  const visited = new Set();
  for (let at = /** @type {Step | null} */ (last); at && !visited.has(at.run); ) {
    visited.add(at.run);
    path.unshift(at);
    /** @type {Step | null} */
    let before = null;
    for (const id of at.retryOf ? [...at.causes, at.retryOf] : at.causes) {
      const cause = byRun.get(id);
      if (cause && (!before || end(cause) > end(before))) before = cause;
    }
    at = before;
  }

  const origin = Date.parse(path[0].createdAt);
  const stages = path.map((step, index) => {
    const ready = index === 0 ? origin : end(path[index - 1]);
    const begun = step.startedAt ? Date.parse(step.startedAt) : null;
    const over = end(step);
    return {
      run: step.run,
      job: step.job,
      standing: { state: step.state, verdict: step.verdict },
      startsAfterMs: (begun ?? over) - origin,
      // Clocks of agents differ a little: a command does not start before it is asked for.
      waitedMs: Math.max(0, (begun ?? over) - ready),
      tookMs: begun === null ? 0 : Math.max(0, over - begun),
      endsAfterMs: over - origin,
      live: step.endedAt === null,
    };
  });
  const links = new Set();
  for (let index = 1; index < path.length; index += 1) links.add(linkName(path[index - 1].job, path[index].job));
  return { stages, totalMs: Math.max(0, end(last) - origin), startedAt: origin, links };
}

/**
 * How an edge is named in `links`. Names of jobs hold no line breaks.
 * @param {string} from
 * @param {string} to
 */
export const linkName = (from, to) => `${from}\n${to}`;

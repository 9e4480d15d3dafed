/** The last runs of a job as bars: how high each is, and what the chart measures by. Pure. */

/**
 * @typedef {object} Bar
 * @property {string | null} run null of occurrences that never became runs
 * @property {string} state a key of what `look` knows
 * @property {number | null} tookMs
 * @property {number} share of the chart's height, 0 to 1
 * @property {string | null} dueAt
 * @property {string} why
 * @property {number} count how many occurrences it stands for
 */

/**
 * How long a run took: from its first start to its end, further attempts included; of one that still runs, until now.
 * @param {any} run
 * @param {number} now
 * @returns {number | null}
 */
export function took(run, now) {
  const started = run.attempts?.find((/** @type {any} */ attempt) => attempt.startedAt)?.startedAt;
  if (!started) return null;
  return Math.max(0, (run.endedAt ? Date.parse(run.endedAt) : now) - Date.parse(started));
}

/**
 * How late a run was begun: from when it was to start until its first attempt did.
 * @param {any} run
 * @returns {number | null}
 */
export function lateness(run) {
  const started = run.attempts?.find((/** @type {any} */ attempt) => attempt.startedAt)?.startedAt;
  const planned = run.trigger?.opensAt;
  return started && planned ? Date.parse(started) - Date.parse(planned) : null;
}

/**
 * One run that took far longer than all others would leave nothing of them to be seen, so the chart ends at thrice the
 * 90th percentile, and what is longer fills it.
 * @param {any[]} entries newest first, as the API lists them
 * @param {(run: any) => string} standing
 * @param {number} now
 * @returns {{bars: Bar[], top: number, median: number | null}} oldest first; `top` is the length at full height
 */
export function chart(entries, standing, now) {
  const list = [...entries].reverse().map((entry) => {
    const isRun = entry.kind === "run";
    return {
      run: isRun ? entry.id : null,
      state: isRun ? standing(entry) : entry.verdict,
      tookMs: isRun ? took(entry, now) : null,
      dueAt: isRun ? entry.trigger.dueAt : entry.lastDueAt,
      why: isRun ? entry.trigger.kind : "",
      count: isRun ? 1 : entry.count,
    };
  });
  const lengths = list.flatMap((each) => (each.tookMs === null ? [] : [each.tookMs])).sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * share))];
  const top = lengths.length ? Math.max(1, Math.min(lengths[lengths.length - 1] * 1.1, at(0.9) * 3)) : 1;
  return {
    bars: list.map((each) => ({ ...each, share: each.tookMs === null ? 0 : Math.min(1, each.tookMs / top) })),
    top,
    median: lengths.length ? at(0.5) : null,
  };
}

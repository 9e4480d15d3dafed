/** A chain of runs on an axis of time: who waited and worked when, and which of them made it as long as it is. Pure. */

import { millis } from "../../data/format.js";

/**
 * @typedef {{run: string, job: string, state: string, verdict: string | null, dueAt: string, createdAt: string, startedAt: string | null,
 *   endedAt: string | null, waitedMs: number | null, tookMs: number | null, causes: string[], retryOf: string | null, triggered: string[]}} Step
 * @typedef {{step: Step, from: number, started: number, to: number, critical: boolean, depth: number}} Bar instants in milliseconds; `started` is
 *   `to` while it has not started
 */

/**
 * Rows in the order in which they are read: what was recorded first is first, and a retry stands under what it retries.
 * @param {Step[]} steps in the order of recording
 * @param {number} now
 * @returns {{bars: Bar[], from: number, to: number, path: Step[], waited: number, took: number}}
 */
export function bars(steps, now) {
  const path = criticalPath(steps, now);
  const critical = new Set(path.map((step) => step.run));
  const depths = new Map();
  const all = ordered(steps).map((step) => {
    const before = [...step.causes, step.retryOf].map((id) => depths.get(id)).filter((depth) => depth !== undefined);
    const depth = before.length ? Math.max(...before) + (step.retryOf && before.length === 1 ? 0 : 1) : 0;
    depths.set(step.run, depth);
    const from = millis(step.createdAt);
    const to = Math.max(from, endOf(step, now));
    const started = step.startedAt ? Math.min(to, millis(step.startedAt)) : to;
    return { step, from, started, to, critical: critical.has(step.run), depth };
  });
  const own = (/** @type {(bar: Bar) => number} */ length) => all.filter((bar) => bar.critical).reduce((sum, bar) => sum + length(bar), 0);
  return {
    bars: all,
    from: all.reduce((least, bar) => Math.min(least, bar.from), Infinity),
    to: all.reduce((most, bar) => Math.max(most, bar.to), -Infinity),
    path,
    waited: own((bar) => bar.started - bar.from),
    took: own((bar) => bar.to - bar.started),
  };
}

/**
 * @param {Step} step
 * @param {number} now
 */
const endOf = (step, now) => (step.endedAt ? millis(step.endedAt) : step.state === "ended" ? millis(step.startedAt ?? step.createdAt) : now);

/** @param {Step[]} steps */
function ordered(steps) {
  const known = new Set(steps.map((step) => step.run));
  /** @type {Map<string, Step[]>} */
  const retries = new Map();
  for (const step of steps) {
    if (step.retryOf && known.has(step.retryOf)) retries.set(step.retryOf, [...(retries.get(step.retryOf) ?? []), step]);
  }
  /** @type {Step[]} */
  const found = [];
  const add = (/** @type {Step} */ step) => {
    const open = [step];
    for (let next = open.pop(); next; next = open.pop()) {
      found.push(next);
      open.push(...(retries.get(next.run) ?? []).reverse());
    }
  };
  for (const step of steps) if (!step.retryOf || !known.has(step.retryOf)) add(step);
  return found;
}

/**
 * From what ended last back to a beginning, each time by that cause which ended last.
 * @param {Step[]} steps
 * @param {number} now
 * @returns {Step[]} first to last
 */
function criticalPath(steps, now) {
  const known = new Map(steps.map((step) => [step.run, step]));
  const latest = (/** @type {Step[]} */ some) => some.reduce((/** @type {Step | null} */ last, step) => (!last || endOf(step, now) > endOf(last, now) ? step : last), null);
  const path = [];
  const seen = new Set();
  for (let step = latest(steps); step && !seen.has(step.run); ) {
    seen.add(step.run);
    path.unshift(step);
    const before = [...step.causes, ...(step.retryOf ? [step.retryOf] : [])].flatMap((id) => known.get(id) ?? []);
    step = latest(before);
  }
  return path;
}

/**
 * Round lengths that divide a span into a few parts.
 * @param {number} span in milliseconds
 * @returns {number[]} from the beginning, 0 not among them
 */
export function ticks(span) {
  if (!(span > 0)) return [];
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 12e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5, 25920e5, 77760e5, 31536e6];
  const step = steps.find((each) => span / each <= 6) ?? span;
  return Array.from({ length: Math.floor(span / step) }, (_, index) => (index + 1) * step);
}

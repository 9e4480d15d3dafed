/** How far a backfill is. Pure. */

/**
 * @typedef {{state: string, amount: number, share: number}} Part `state` is a verdict, `running`, or `pending` for what is not begun
 */

const ORDER = ["succeeded", "failed", "lost", "killed", "missed", "skipped", "superseded"];

/**
 * @param {{total: number, begun: number, live: number, ended: Record<string, number>}} backfill
 * @returns {Part[]} what there is of each, in the order in which it is shown; their shares are 1 together
 */
export function partsOf({ total, live, ended }) {
  const found = ORDER.filter((verdict) => ended[verdict]).map((verdict) => ({ state: verdict, amount: ended[verdict] }));
  const over = found.reduce((sum, each) => sum + each.amount, 0);
  if (live) found.push({ state: "running", amount: live });
  const left = Math.max(0, total - over - live);
  if (left) found.push({ state: "pending", amount: left });
  const whole = Math.max(total, over + live + left, 1);
  return found.map((each) => ({ ...each, share: each.amount / whole }));
}

/**
 * The run of each instant of a backfill, as far as these entries of the job's history have them; the latest counts.
 * @param {string} id
 * @param {any[]} entries newest first
 * @returns {Map<string, any>} by due instant
 */
export function runsOf(id, entries) {
  const found = new Map();
  for (const entry of entries) {
    if (entry.kind === "run" && entry.trigger.backfill === id && !found.has(entry.trigger.dueAt)) found.set(entry.trigger.dueAt, entry);
  }
  return found;
}

/**
 * Instants between blanks, commas or line breaks, in the form of the API.
 * @param {string} text
 * @returns {{instants: string[], wrong: string[]}} `wrong` are no instants
 */
export function instantsOf(text) {
  /** @type {string[]} */
  const instants = [];
  /** @type {string[]} */
  const wrong = [];
  for (const item of text.split(/[\s,]+/).filter(Boolean)) {
    // A time of day without a distance from UTC would be read by the clock of whoever's browser this is.
    const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(item) ? Date.parse(item) : NaN;
    if (Number.isNaN(at)) wrong.push(item);
    else instants.push(new Date(at).toISOString());
  }
  return { instants: [...new Set(instants)], wrong };
}

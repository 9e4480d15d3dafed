/** Which time is looked at. Pure. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const SHORTEST = 10 * MINUTE;
export const LONGEST = 31 * DAY;
/** The share of a window that is past while it follows the present. */
export const PAST = 0.6;

/** What there are buttons for. */
export const SPANS = [
  { id: "1h", ms: HOUR },
  { id: "6h", ms: 6 * HOUR },
  { id: "24h", ms: DAY },
  { id: "3d", ms: 3 * DAY },
  { id: "7d", ms: 7 * DAY },
  { id: "30d", ms: 30 * DAY },
];
const USUAL = DAY;

/**
 * @typedef {{from: number, to: number, follows: boolean}} Window `follows`: it moves with the present
 */

/**
 * A length as addresses have it: `6h`, `3d`, `95m`.
 * @param {number} ms
 */
export function spanName(ms) {
  const known = SPANS.find((span) => span.ms === ms);
  return known ? known.id : `${Math.round(ms / MINUTE)}m`;
}

/** @param {string | undefined} text */
export function spanOf(text) {
  const found = /^(\d{1,6})([mhd])$/.exec(text ?? "");
  if (!found) return USUAL;
  const unit = { m: MINUTE, h: HOUR, d: DAY }[/** @type {"m" | "h" | "d"} */ (found[2])];
  return Math.min(LONGEST, Math.max(SHORTEST, Number(found[1]) * unit));
}

/**
 * The window that an address names.
 * @param {{from?: string, to?: string, span?: string}} params
 * @param {number} now
 * @returns {Window}
 */
export function windowOf(params, now) {
  const from = Date.parse(params.from ?? "");
  const to = Date.parse(params.to ?? "");
  const span = spanOf(params.span);
  if (!Number.isNaN(from) && !Number.isNaN(to) && to > from) return bounded({ from, to, follows: false });
  if (!Number.isNaN(from)) return { from, to: from + span, follows: false };
  if (!Number.isNaN(to)) return { from: to - span, to, follows: false };
  return following(span, now);
}

/**
 * @param {number} span
 * @param {number} now
 * @returns {Window}
 */
export const following = (span, now) => ({ from: now - span * PAST, to: now + span * (1 - PAST), follows: true });

/**
 * @param {Window} window
 * @returns {Window}
 */
function bounded({ from, to, follows }) {
  const span = Math.min(LONGEST, Math.max(SHORTEST, to - from));
  const middle = (from + to) / 2;
  return span === to - from ? { from, to, follows } : { from: middle - span / 2, to: middle + span / 2, follows };
}

/**
 * What an address says of a window; a window that follows says how long it is.
 * @param {Window} window
 */
export function paramsOf({ from, to, follows }) {
  if (follows) return { from: null, to: null, span: to - from === USUAL ? null : spanName(to - from) };
  const text = (/** @type {number} */ at) => new Date(Math.round(at / 1_000) * 1_000).toISOString().replace(".000Z", "Z");
  return { from: text(from), to: text(to), span: null };
}

/**
 * Longer by `factor`, while the instant at this share of it stays where it is. One that follows goes on to, about the present.
 * @param {Window} window
 * @param {number} factor
 * @param {number} share 0 is its beginning, 1 its end
 * @param {number} now
 * @returns {Window}
 */
export function zoomed({ from, to, follows }, factor, share, now) {
  const span = Math.min(LONGEST, Math.max(SHORTEST, (to - from) * factor));
  if (follows) return following(span, now);
  const at = from + (to - from) * share;
  return { from: at - span * share, to: at + span * (1 - share), follows };
}

/**
 * Moved by a share of its length; it then follows no longer.
 * @param {Window} window
 * @param {number} share
 * @returns {Window}
 */
export function panned({ from, to }, share) {
  const by = (to - from) * share;
  return { from: from + by, to: to + by, follows: false };
}

/**
 * What is asked of the server for a window: somewhat more, in steps, so that small moves ask for nothing. Not much more,
 * because of each job only so many runs are told, the newest ones of what was asked for.
 * @param {Window} window
 */
export function askedFor({ from, to }) {
  const step = Math.max(MINUTE, Math.round((to - from) / 12 / MINUTE) * MINUTE);
  return { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step };
}

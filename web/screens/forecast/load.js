/** How many jobs start when, as a chart and a list have it. Pure. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SIZES = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY];

/** The longest time of which single minutes are told; beyond, hours are. */
export const LONGEST_BY_MINUTE = 7 * DAY;
export const LONGEST = 366 * DAY;

/**
 * @typedef {{at: number, count: number, jobs: string[]}} Count what starts in a minute, or in an hour
 * @typedef {{at: number, most: number, mostAt: number, total: number, jobs: string[]}} Bar `most` is of one minute or hour within it
 */

/**
 * @param {{perMinute: {minute: string, count: number, jobs: string[]}[], perHour?: {hour: string, count: number, jobs: string[]}[]}} forecast
 * @returns {Count[]}
 */
export function countsOf({ perMinute, perHour = [] }) {
  const all = [
    ...perMinute.map(({ minute, count, jobs }) => ({ at: Date.parse(minute), count, jobs })),
    ...perHour.map(({ hour, count, jobs }) => ({ at: Date.parse(hour), count, jobs })),
  ];
  return all.sort((a, b) => a.at - b.at);
}

/**
 * How long the time of a bar is, such that there are at most so many.
 * @param {number} span
 * @param {number} unit what is counted: minutes, or hours
 * @param {number} most
 */
export const sizeFor = (span, unit, most) => SIZES.find((size) => size >= unit && span / size <= most) ?? SIZES[SIZES.length - 1];

/**
 * Bars of equal length from the beginning to the end, also where nothing starts. Each is as high as the most crowded minute in it:
 * a sum would hide that all of it starts at once.
 *
 * @param {Count[]} counts
 * @param {number} from
 * @param {number} to
 * @param {number} size
 * @returns {Bar[]}
 */
export function barsOf(counts, from, to, size) {
  const first = Math.floor(from / size) * size;
  /** @type {Bar[]} */
  const bars = [];
  for (let at = first; at < to; at += size) bars.push({ at, most: 0, mostAt: at, total: 0, jobs: [] });
  for (const { at, count, jobs } of counts) {
    const bar = bars[Math.floor((at - first) / size)];
    if (!bar) continue;
    bar.total += count;
    if (count > bar.most) {
      bar.most = count;
      bar.mostAt = at;
      bar.jobs = jobs;
    }
  }
  return bars;
}

/**
 * The most crowded minutes or hours, the earlier of equals first.
 * @param {Count[]} counts
 * @param {number} most
 */
export const crowded = (counts, most) => [...counts].sort((a, b) => b.count - a.count || a.at - b.at).slice(0, most);

/**
 * The instant at which a clock on the wall shows a text such as `2026-11-27T13:00`; the first of two, and where there is none
 * that at which it would have been.
 * @param {string} text
 * @param {(at: number) => number} offsetAt of the zone
 * @returns {number | null}
 */
export function instantOf(text, offsetAt) {
  const shown = Date.parse(`${text}Z`);
  if (Number.isNaN(shown)) return null;
  const before = shown - offsetAt(shown - DAY);
  const behind = shown - offsetAt(shown + DAY);
  for (const at of [Math.min(before, behind), Math.max(before, behind)]) if (at + offsetAt(at) === shown) return at;
  return before;
}

/**
 * A distance from UTC such as `+02:00` in milliseconds.
 * @param {string} text
 */
export function offsetOf(text) {
  const found = /^([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (!found) return 0;
  const [, sign, hours, minutes, seconds = "0"] = found;
  return (sign === "-" ? -1 : 1) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
}

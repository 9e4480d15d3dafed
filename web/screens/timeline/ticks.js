/** Where an axis of time has its marks: at round times of day of a zone, through changes of its clock. Pure. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** 1970-01-01 was a Thursday; weeks begin on Mondays. */
const FIRST_MONDAY = 4 * DAY;

const STEPS = [
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
];

/**
 * @typedef {{from: number, to: number, offset: number}} Stretch a time in which a zone is `offset` milliseconds ahead of UTC
 */

/**
 * How far apart marks are, such that there are at most so many.
 * @param {number} span
 * @param {number} most
 */
export const stepFor = (span, most) => STEPS.find((step) => span / step <= most) ?? STEPS[STEPS.length - 1];

/**
 * The times between changes of a zone's clock.
 * @param {number} from
 * @param {number} to
 * @param {(at: number) => number} offsetAt
 * @returns {Stretch[]}
 */
export function stretches(from, to, offsetAt) {
  const found = [];
  let begun = from;
  let offset = offsetAt(from);
  // No zone has changed its clock twice within a quarter of a day.
  for (let at = from; at < to; ) {
    const next = Math.min(to, at + 6 * HOUR);
    const then = offsetAt(next);
    if (then !== offset) {
      let before = at;
      let behind = next;
      while (behind - before > 1_000) {
        const middle = Math.floor((before + behind) / 2_000) * 1_000;
        if (middle <= before) break;
        if (offsetAt(middle) === offset) before = middle;
        else behind = middle;
      }
      found.push({ from: begun, to: behind, offset });
      begun = behind;
      offset = then;
    }
    at = next;
  }
  found.push({ from: begun, to, offset });
  return found;
}

/**
 * The instants between `from` and `to` at which the clock on the wall shows a multiple of `step`. A time that the clock shows
 * twice has two of them, one that it leaves out none.
 * @param {Stretch[]} parts
 * @param {number} step
 * @returns {number[]}
 */
export function ticks(parts, step) {
  const base = step > DAY ? FIRST_MONDAY : 0;
  const found = [];
  for (const { from, to, offset } of parts) {
    const first = Math.ceil((from + offset - base) / step) * step + base - offset;
    for (let at = first; at < to; at += step) found.push(at);
  }
  return found;
}

/**
 * The instants at which a day begins; where midnight is left out, when the clock goes on after it.
 * @param {Stretch[]} parts
 * @returns {number[]}
 */
export function midnights(parts) {
  const found = ticks(parts, DAY);
  for (let index = 1; index < parts.length; index += 1) {
    const { from: at, offset } = parts[index];
    const before = Math.floor((at - 1 + parts[index - 1].offset) / DAY);
    const behind = Math.floor((at + offset) / DAY);
    if (behind > before && (at + offset) % DAY !== 0) found.push(at);
  }
  return found.sort((a, b) => a - b);
}

/**
 * The changes of the clock: when, and by how much it is put forward, negative when it is put back.
 * @param {Stretch[]} parts
 * @returns {{at: number, by: number}[]}
 */
export function clockChanges(parts) {
  return parts.slice(1).map(({ from, offset }, index) => ({ at: from, by: offset - parts[index].offset }));
}

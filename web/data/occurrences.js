/** Instants that a schedule names, as `preview` lists them. Pure. */

import { exact, offset } from "./format.js";

/**
 * @typedef {{utc: string, local: string, opensAt?: string}} Occurrence `local` is the wall clock of the job's zone
 */

/** @param {string} local such as `2026-11-26T13:00:00+01:00` */
export function localOffset(local) {
  const found = /(Z|[+-]\d\d:\d\d)$/.exec(local)?.[1] ?? "Z";
  if (found === "Z") return 0;
  const [hours, minutes] = found.slice(1).split(":").map(Number);
  return (found.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/**
 * A distance from UTC as people write it: `UTC+1`, `UTC+5:30`, `UTC`.
 * @param {number} ms
 */
export function offsetName(ms) {
  if (ms === 0) return "UTC";
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const rest = minutes % 60 ? `:${String(minutes % 60).padStart(2, "0")}` : "";
  return `UTC${ms < 0 ? "−" : "+"}${Math.floor(minutes / 60)}${rest}`;
}

/**
 * @typedef {object} Line of a list of occurrences
 * @property {number} at
 * @property {string} utc
 * @property {string} job date and time of day in the job's zone
 * @property {string} jobShift what its clock changed from and to since the line before, or empty
 * @property {string} mine the same in the zone asked for
 * @property {string} mineShift
 * @property {number | null} opensAt
 */

/**
 * @param {Occurrence[]} next
 * @param {string} zone whose clock is shown beside the job's; empty is the reader's own
 * @returns {Line[]}
 */
export function lines(next, zone) {
  let before = /** @type {{job: number, mine: number} | null} */ (null);
  return next.map(({ utc, local, opensAt }) => {
    const at = Date.parse(utc);
    const [job, mine] = [localOffset(local), offset(at, zone)];
    const shift = (/** @type {number | undefined} */ from, /** @type {number} */ to) =>
      from === undefined || from === to ? "" : `${offsetName(from)} → ${offsetName(to)}`;
    const line = {
      at,
      utc,
      job: local.slice(0, 19).replace("T", " "),
      jobShift: shift(before?.job, job),
      mine: exact(at, zone),
      mineShift: shift(before?.mine, mine),
      opensAt: opensAt && opensAt !== utc ? Date.parse(opensAt) : null,
    };
    before = { job, mine };
    return line;
  });
}

/**
 * Whether the reader's clock and the job's show the same in all lines.
 * @param {Line[]} list
 */
export function sameClock(list) {
  return list.every((line) => line.job === line.mine);
}

/**
 * What a change does to the occurrences until `until`. Where a list ends before, because only so many were asked for,
 * nobody knows what comes behind: the comparison ends there too.
 * @param {Occurrence[]} before
 * @param {Occurrence[]} after
 * @param {number} most how many were asked for of each
 * @param {number} until
 * @returns {{added: Occurrence[], removed: Occurrence[], kept: number, until: number}}
 */
export function compare(before, after, most, until) {
  let end = until;
  for (const list of [before, after]) {
    if (list.length >= most) end = Math.min(end, Date.parse(list[list.length - 1].utc) + 1);
  }
  const within = (/** @type {Occurrence[]} */ list) => list.filter((each) => Date.parse(each.utc) < end);
  const [old, now] = [within(before), within(after)];
  const known = new Set(old.map((each) => each.utc));
  const stays = new Set(now.map((each) => each.utc));
  const added = now.filter((each) => !known.has(each.utc));
  return { added, removed: old.filter((each) => !stays.has(each.utc)), kept: now.length - added.length, until: end };
}

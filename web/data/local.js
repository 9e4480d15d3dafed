/** Wall clocks read as instants. Pure. */

import { exact, offset } from "./format.js";

/**
 * The instant at which a zone's clock shows a date and time of day. Where it does so twice, the first; where it never
 * does, because the clock is set forward, what it would be by the clock before.
 * @param {string} text such as `2026-11-26T13:00` or with seconds
 * @param {string} zone an IANA name; empty is the reader's own
 * @returns {number | null} null if the text is no date and time of day
 */
export function fromLocal(text, zone) {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return null;
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return null;
  const day = 86_400_000;
  const candidates = [offset(wall - day, zone), offset(wall + day, zone)].map((ahead) => wall - ahead);
  const fitting = candidates.filter((at) => at + offset(at, zone) === wall);
  return fitting.length ? Math.min(...fitting) : candidates[0];
}

/**
 * What a field for a date and time of day is given.
 * @param {number} at
 * @param {string} zone
 */
export function toLocal(at, zone) {
  return exact(at, zone).replace(" ", "T");
}

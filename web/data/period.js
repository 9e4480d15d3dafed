/** Periods of ISO 8601 in words, as far as they have a fixed length. Pure. */

import { duration } from "./format.js";

const PERIOD = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const UNITS_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000];

/**
 * @param {string} text such as `PT10M`
 * @returns {string | null} such as `10 min`; null where it has months or is none
 */
export function periodInWords(text) {
  const found = PERIOD.exec(text);
  if (!found || found.slice(1).every((part) => part === undefined)) return null;
  const ms = UNITS_MS.reduce((sum, unit, index) => sum + unit * Number(found[index + 1] ?? 0), 0);
  return ms === 0 ? "0 s" : duration(ms);
}

/**
 * The parts of a repeating interval.
 * @param {string} schedule such as `R5/2026-01-01T00:00:00Z/PT1H`
 * @returns {{times: string, begin: string, every: string} | null} `times` is empty where it goes on without end
 */
export function interval(schedule) {
  const found = /^R(\d*)\/(.*)\/(P.*)?$/.exec(schedule);
  return found && { times: found[1], begin: found[2], every: found[3] ?? "" };
}

/** @param {{times: string, begin: string, every: string}} parts */
export const intervalText = ({ times, begin, every }) => `R${times}/${begin}/${every}`;

/** Which definition was in force when a run was recorded. Pure. */

import { millis } from "../../data/format.js";

/**
 * @typedef {{incarnation: number, revision: number, acceptedAt: string, present: boolean, removed: boolean}} Revision
 */

/**
 * @param {{id: string, createdAt: string, revision?: string | null}} run
 * @param {Revision[]} revisions newest first
 * @returns {Revision | null} null where it is no longer kept
 */
export function revisionOf(run, revisions) {
  const told = run.revision;
  if (told) return revisions.find((each) => String(each.revision) === String(told) || `${each.incarnation}.${each.revision}` === told) ?? null;
  // The number behind the j is the life of the name that the run belongs to.
  const life = Number(/^j(\d+)-/.exec(run.id)?.[1] ?? NaN);
  const at = millis(run.createdAt);
  return revisions.find((each) => each.incarnation === life && millis(each.acceptedAt) <= at) ?? null;
}

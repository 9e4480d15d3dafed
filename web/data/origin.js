/** Which source a job comes from, in words: what becomes of a change by hand. */

/** How many fields are named. */
const FIELDS = 5;

/**
 * What a reader must know before they change the job.
 * @param {any} origin of `origins`
 * @returns {{tone: string, head: string, rest: string} | null} null of a job that comes from no source
 */
export function told(origin) {
  if (!origin) return null;
  const { source, place, drift, changes } = origin;
  const where = place ? ` (${place})` : "";
  if (drift === "gone") {
    return { tone: "late", head: `${source} does not have this job any more.`, rest: `It came from there${where}, and stays until somebody deletes it.` };
  }
  if (drift === "changed") {
    /** @type {string[]} */
    const all = (changes ?? []).map((/** @type {any} */ change) => change.field);
    const named = all.slice(0, FIELDS).join(", ") + (all.length > FIELDS ? ` and ${all.length - FIELDS} more` : "");
    return {
      tone: "late",
      head: `This job is not what ${source} says${where}.`,
      rest: `${named ? `Somebody has changed ${named}. ` : ""}The next apply of ${source} undoes that: change it there.`,
    };
  }
  return { tone: "quiet", head: `This job comes from ${source}${where}.`, rest: "What is changed here is undone when that is applied next." };
}

/**
 * In what a job of the list is not what its source wants, in a word and a sentence.
 * @param {any} job
 * @returns {{word: string, why: string} | null}
 */
export function driftOf({ source, drift }) {
  if (drift === "changed") return { word: "changed by hand", why: `it comes from ${source}, and is not what that says; its next apply undoes the change` };
  if (drift === "gone") return { word: "not in its source", why: `it came from ${source}, which does not have it any more` };
  return null;
}

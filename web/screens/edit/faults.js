/** What the server refuses of a draft, by the fields it names. Pure. */

/**
 * @typedef {object} Refused
 * @property {string} message
 * @property {string} field empty where it is about the whole
 * @property {string} remedy
 * @property {{start: number, end: number} | null} position bytes of the field's text
 */

/**
 * @param {{message: string, field?: string | null, remedy?: string | null, position?: any,
 *   problems?: {message: string, field?: string, remedy?: string, position?: any}[]}} problem
 * @returns {Refused[]}
 */
export function refusals(problem) {
  const all = problem.problems?.length ? problem.problems : [problem];
  return all.map((each) => ({
    message: each.message,
    field: each.field ?? "",
    remedy: each.remedy ?? "",
    // Of several, the one that the whole answer speaks of has the place.
    position: each.position ?? (each.field === problem.field ? (problem.position ?? null) : null),
  }));
}

/**
 * What is wrong with a field or with something inside of it, in one sentence.
 * @param {Refused[]} list
 * @param {string} field
 * @returns {string | null}
 */
export function faultOf(list, field) {
  const found = list.find((each) => each.field === field || each.field.startsWith(`${field}.`) || each.field.startsWith(`${field}[`));
  if (!found) return null;
  return withRemedy(found);
}

/**
 * Both in one sentence; some messages of Chronos say what to do already.
 * @param {{message: string, remedy: string}} refused
 */
export function withRemedy({ message, remedy }) {
  return remedy && !message.includes(remedy) ? `${message}: ${remedy}` : message;
}

/**
 * What is about none of these fields, and would be shown nowhere.
 * @param {Refused[]} list
 * @param {string[]} fields
 */
export function elsewhere(list, fields) {
  return list.filter((each) => !fields.some((field) => faultOf([each], field) !== null));
}

/** What a new job still lacks need not be called wrong while it is being typed. */
const FIRST = ["name", "command", "schedule", "parents"];

/**
 * @param {Refused[]} list
 * @param {Record<string, any>} draft
 */
export function withoutUntyped(list, draft) {
  const untyped = (/** @type {any} */ value) => value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
  return list.filter((each) => !(FIRST.includes(each.field) && untyped(draft[each.field])));
}

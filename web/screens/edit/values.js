/** What fields of the form show of a draft, and what they make of what is typed. Pure. */

/**
 * A number, where it is written as numbers are printed: of `0.10` more may follow, so it stays as it is typed.
 * @param {string} text
 */
export function numberOrText(text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  return String(Number(trimmed)) === trimmed && Number.isFinite(Number(trimmed)) ? Number(trimmed) : text;
}

/** @param {string} text */
export const textOrNothing = (text) => (text === "" ? undefined : text);

/**
 * Items between commas or line breaks.
 * @param {string} text
 */
export function itemsOf(text) {
  const items = text.split(/[,\n]/).map((item) => item.trim()).filter(Boolean);
  return items.length ? items : undefined;
}

/**
 * The same of numbers; what is none stays what was typed, for the server to say.
 * @param {string} text
 */
export function numbersOf(text) {
  return itemsOf(text)?.map((item) => numberOrText(item));
}

/**
 * A word that may have a number: `"queue"`, `{"queue": 3}`.
 * @param {any} value
 * @returns {{word: string, amount: string}}
 */
export function worded(value) {
  if (typeof value === "string") return { word: value, amount: "" };
  if (typeof value !== "object" || value === null) return { word: "", amount: "" };
  const [word, amount] = Object.entries(value)[0] ?? ["", ""];
  return { word, amount: String(amount) };
}

/**
 * @param {string} word
 * @param {string} amount
 * @param {string[]} counted words that may have a number
 */
export function wordOf(word, amount, counted) {
  if (word === "") return undefined;
  return amount.trim() && counted.includes(word) ? { [word]: numberOrText(amount) } : word;
}

/**
 * Changes one key of an object that is left out where it says nothing.
 * @param {Record<string, any> | undefined} object
 * @param {string} key
 * @param {any} value
 */
export function withKey(object, key, value) {
  const changed = { ...(typeof object === "object" ? object : {}), [key]: value };
  if (value === undefined) delete changed[key];
  return Object.keys(changed).length ? changed : undefined;
}

/**
 * Two fields say how soon a job is placed; Chronos knows only one.
 * @param {Record<string, any>} draft
 */
export const priorityOf = (draft) => draft.priority ?? (draft.highPriority ? "high" : "normal");

/** @param {string} priority */
export const priorityFields = (priority) => ({ highPriority: priority === "high", priority: priority === "low" ? "low" : undefined });

/**
 * What compares an attribute of an agent, and whether with a value.
 * @typedef {{word: string, value: "wanted" | "optional" | "none"}} Operator
 */

/** @type {Operator[]} */
export const OPERATORS = [
  { word: "EQUALS", value: "wanted" },
  { word: "LIKE", value: "wanted" },
  { word: "UNLIKE", value: "wanted" },
  { word: "UNIQUE", value: "none" },
  { word: "CLUSTER", value: "optional" },
];

/**
 * The operator of a word; of one that this page does not know a value is wanted.
 * @param {string} word
 * @returns {Operator}
 */
export const operatorOf = (word) => OPERATORS.find((each) => each.word === word) ?? { word, value: "wanted" };

/**
 * A constraint as the server prints it: in three parts, the value empty where its operator has none.
 * @param {string} attribute
 * @param {string} operator
 * @param {string | undefined} value
 * @returns {string[]}
 */
export const constraintOf = (attribute, operator, value) => [attribute, operator, operatorOf(operator).value === "none" ? "" : (value ?? "")];

/**
 * Labels as rows.
 * @param {any} labels a text may say anything in their place
 * @returns {{name: string, value: any}[]}
 */
export const pairsOf = (labels) =>
  labels && typeof labels === "object" && !Array.isArray(labels) ? Object.entries(labels).map(([name, value]) => ({ name, value })) : [];

/**
 * Rows as labels; one that says nothing is none.
 * @param {{name: string, value: any}[]} pairs
 * @returns {Record<string, any> | undefined}
 */
export function labelsOf(pairs) {
  const said = pairs.filter(({ name, value }) => name !== "" || value !== "");
  return said.length ? Object.fromEntries(said.map(({ name, value }) => [name, value])) : undefined;
}

/** A name that two rows have. @param {{name: string}[]} pairs */
export const twice = (pairs) => pairs.find(({ name }, index) => name !== "" && pairs.findIndex((each) => each.name === name) < index)?.name;

/** Paths in the directory of an attempt, and which attempt is looked at. Pure. */

/**
 * The last part of a path.
 * @param {string} path
 */
export const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/**
 * The directories on the way to one, itself the last.
 * @param {string} path
 * @returns {{name: string, directory: string}[]}
 */
export function upwards(path) {
  const names = path.split("/").filter(Boolean);
  return names.map((name, index) => ({ name, directory: names.slice(0, index + 1).join("/") }));
}

/**
 * The attempt of that number; the last if there is none of it.
 * @template {{attempt: number}} T
 * @param {T[]} attempts
 * @param {string | undefined} number
 * @returns {T | null}
 */
export function chosenAttempt(attempts, number) {
  const chosen = attempts.find((each) => String(each.attempt) === number);
  return chosen ?? attempts[attempts.length - 1] ?? null;
}

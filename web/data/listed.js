/** A list of which the newest are asked for, and more of it when the reader wants more. */

import { useRef } from "../vendor/preact.js";
import { get } from "./http.js";
import { useAnswer } from "./query.js";

const FIRST = 50;
/** What one question may ask for. */
const PAGE = 200;
export const MOST = 1_000;

/**
 * @param {string} path whose answers have `next`, which is `before` of the question after it
 * @param {import("./http.js").Params} params
 * @param {string} rows the key that the rows are under
 * @param {import("./query.js").When} when
 * @returns {import("./query.js").Answer<any> & {more: (() => void) | null}} the first answer with all rows in it; `more` if there are more to be had
 */
export function useListed(path, params, rows, when) {
  const key = `${path} ${JSON.stringify(params)}`;
  const wanted = useRef({ key, size: FIRST });
  if (wanted.current.key !== key) wanted.current = { key, size: FIRST };
  const answer = useAnswer(key, async (signal) => {
    const first = await get(path, { ...params, limit: Math.min(PAGE, wanted.current.size) }, { signal });
    const found = [...first[rows]];
    let { next } = first;
    while (next !== null && found.length < wanted.current.size) {
      const page = await get(path, { ...params, limit: Math.min(PAGE, wanted.current.size - found.length), before: next }, { signal });
      found.push(...page[rows]);
      next = page.next;
    }
    return { ...first, next, [rows]: found };
  }, when);
  const rest = answer.data && answer.data.next !== null && answer.data[rows].length < MOST;
  const more = () => {
    wanted.current.size = Math.min(MOST, answer.data[rows].length * 2);
    answer.reload();
  };
  return { ...answer, more: rest ? more : null };
}

/** A job run by hand, from wherever it is shown. */

import { send } from "../data/http.js";
import { tell, tellProblem } from "../shell/notices.js";
import { go, toRun } from "../shell/route.js";

/**
 * @param {string} job
 * @param {Record<string, any>} [more] arguments, environment, due instant, reason
 * @param {(error: unknown) => void} [failed] a dialog shows it in itself, because it covers notices
 * @returns {Promise<boolean>} whether it was recorded
 */
export async function runNow(job, more = {}, failed = (error) => tellProblem(`${job} was not run`, error)) {
  try {
    const { data } = await send("POST", "runs", { job, ...more });
    tell({ tone: "good", text: `${job} runs as ${data.run}`, action: { label: "Show the run", run: () => go(toRun(data.run)) } });
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
}

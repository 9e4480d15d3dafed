/** What can be done with a job from wherever it is listed. */

import { send } from "../../data/http.js";
import { go, toRun } from "../../shell/route.js";
import { tell, tellProblem } from "../../shell/notices.js";

/** @param {string} job */
export async function runNow(job) {
  try {
    const { data } = await send("POST", "runs", { job });
    tell({ tone: "good", text: `${job} runs`, action: { label: "Show the run", run: () => go(toRun(data.run)) } });
  } catch (error) {
    tellProblem(`${job} does not run`, error);
  }
}

/** What can be done about a run, each after a question. */

import { html, useState } from "../../vendor/preact.js";
import { part, send } from "../../data/http.js";
import { refusal } from "../../data/me.js";
import { counted } from "../../data/format.js";
import { confirm } from "../../parts/dialog.js";
import { ProblemBox } from "../../parts/problem.js";
import { When } from "../../parts/time.js";
import { useKeys } from "../../shell/keys.js";
import { tell, tellProblem } from "../../shell/notices.js";
import { go, toJob, toRun } from "../../shell/route.js";
import { became, possible } from "./verbs.js";

/** Of a longer list this much is shown before it is done. */
const LISTED = 200;

/**
 * @param {{run: any, me: import("../../data/me.js").Me}} props
 */
export function Actions({ run, me }) {
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const refused = refusal(me, "operator");
  const all = possible(run);

  const act = async (/** @type {import("./verbs.js").Possible} */ { verb, label, does, danger }) => {
    if (refused || busy) return;
    setProblem(null);
    setBusy(verb);
    const path = `run/${part(run.id)}/${verb}`;
    try {
      const listed = verb === "retry-down" ? (await send("POST", path, undefined, { params: { dryRun: true } })).data : null;
      const body = html`<p>${does}</p>
        ${listed && html`<${Below} listed=${listed} />`}`;
      const reason = await confirm({ title: `${label}: ${run.job}`, body, confirm: label, danger, reason: true });
      if (reason !== null) {
        const { data, warnings } = await send("POST", path, { reason });
        told(data, run, warnings);
      }
    } catch (error) {
      setProblem(error instanceof Error ? error : new Error(String(error)));
      tellProblem(`${label} was refused`, error);
    }
    setBusy("");
  };
  const retry = all.find(({ verb }) => verb === "retry");
  useKeys(retry ? [{ key: "r", does: "retry this run", run: () => void act(retry) }] : []);

  return html`<span class="buttons">
      ${all.map(
        (each) => html`<button class=${each.danger ? "danger" : ""} disabled=${Boolean(refused) || busy !== ""} title=${refused ?? each.does} onClick=${() => act(each)}>
          ${each.label}
        </button>`,
      )}
    </span>
    ${problem && html`<div class="wide-row"><${ProblemBox} problem=${problem} /></div>`}`;
}

/**
 * @param {any} data
 * @param {any} run
 * @param {string[]} warnings
 */
function told(data, run, warnings) {
  const { followedBy } = data;
  tell({
    tone: "good",
    text: `${run.job}: ${became(data)}.`,
    detail: warnings.join(" ") || null,
    action: followedBy ? { label: "Look at it", run: () => go(toRun(followedBy)) } : undefined,
  });
}

/** What a retry down would run. @param {{listed: {below: {run: string, job: string, dueAt: string, borrows: string[]}[]}}} props */
function Below({ listed }) {
  const { below } = listed;
  if (!below.length) return html`<p>Nothing followed from it: only it is run again.</p>`;
  return html`<p>${counted(below.length, "run")} followed from it and will be run again after it:</p>
    <div class="listed scroll-x" tabindex="0">
      <table>
        <thead>
          <tr><th>Job</th><th>Its run</th><th>Due</th><th>Counts once more</th></tr>
        </thead>
        <tbody>
          ${below.slice(0, LISTED).map(
            (each) => html`<tr>
              <td><a href=${toJob(each.job)}>${each.job}</a></td>
              <td><a class="mono" href=${toRun(each.run)}>${each.run}</a></td>
              <td><${When} at=${each.dueAt} exactly=${true} /></td>
              <td>${each.borrows.length ? each.borrows.map((id) => html`<a class="mono" href=${toRun(id)}>${id}</a> `) : html`<span class="none">–</span>`}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${below.length > LISTED && html`<p class="hint">and ${counted(below.length - LISTED, "more run", "more runs")}.</p>`}
    ${below.some((each) => each.borrows.length) && html`<p class="hint">What counts once more are runs of other parents, which nobody runs again.</p>`}`;
}

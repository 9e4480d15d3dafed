/** What concerns everything: told above whatever else is shown. */

import { html } from "../vendor/preact.js";
import { counted } from "../data/format.js";
import { refusal, useMe } from "../data/me.js";
import { send } from "../data/http.js";
import { confirm } from "./dialog.js";
import { tell, tellProblem } from "../shell/notices.js";
import { When } from "./time.js";

/** Why the reader may not do what concerns all jobs, or null if they may. */
const notAll = (/** @type {import("../data/me.js").Me} */ me) =>
  refusal(me, "operator") ?? (me.scope ? "it concerns all jobs, and you may see some of them only" : null);

export function PauseEverything() {
  const may = notAll(useMe());
  const pause = async () => {
    const body = html`<p>Nothing begins by itself until somebody resumes everything; what is due meanwhile is recorded as skipped. Runs that are going go on.</p>`;
    const reason = await confirm({ title: "Pause everything?", confirm: "Pause everything", danger: true, reason: true, body });
    if (reason === null) return;
    try {
      await send("POST", "pause", { everything: true, reason: reason || undefined });
    } catch (error) {
      tellProblem("nothing was paused", error);
    }
  };
  return html`<button disabled=${may !== null} title=${may} onClick=${pause}>Pause everything…</button>`;
}

/** @param {{info: any}} props */
export function Banners({ info }) {
  const me = useMe();
  if (!info) return null;
  const may = notAll(me);

  const resume = async () => {
    const reason = await confirm({ title: "Resume everything?", confirm: "Resume", reason: true, body: html`<p>What was due meanwhile has been recorded as skipped.</p>` });
    if (reason === null) return;
    try {
      await send("POST", "resume", { everything: true, reason: reason || undefined });
      tell({ tone: "good", text: "everything is resumed" });
    } catch (error) {
      tellProblem("nothing was resumed", error);
    }
  };
  const trust = async () => {
    const reason = await confirm({ title: "Trust the clock?", confirm: "Trust it", reason: true, danger: true, body: html`<p>Everything due in the jump is then decided at once.</p>` });
    if (reason === null) return;
    try {
      await send("POST", "clock/trust", { reason: reason || undefined });
      tell({ tone: "good", text: "the clock is taken for right" });
    } catch (error) {
      tellProblem("the clock is still doubted", error);
    }
  };

  return html`${info.paused &&
  html`<div class="banner stopped" role="status">
    <p><b>Everything is paused</b>${info.paused.until && html` until <${When} at=${info.paused.until} exactly=${true} />`}${info.paused.by?.by && ` by ${info.paused.by.by}`}${info.paused.by?.reason && `: ${info.paused.by.reason}`}</p>
    <button onClick=${resume} disabled=${may !== null} title=${may}>Resume</button>
  </div>`}
  ${info.clock &&
  html`<div class="banner late" role="status">
    <p>
      <b>The wall clock has jumped</b> to <${When} at=${info.clock.shown} exactly=${true} />, expected
      <${When} at=${info.clock.expected} exactly=${true} />. Nothing due in between is decided until it has held for five minutes.
    </p>
    <button onClick=${trust} disabled=${may !== null} title=${may}>Trust it</button>
  </div>`}
  ${info.launcher.problem && html`<div class="banner bad" role="status"><p><b>Nothing can be started:</b> ${info.launcher.problem}</p></div>`}
  ${info.jobFiles?.problemCount > 0 &&
  html`<div class="banner late" role="status">
    <p>
      <b>Job files are not as they should be:</b> ${counted(info.jobFiles.problemCount, "problem")} in ${info.jobFiles.directory}; what is wrong stays as it was.
      ${info.jobFiles.problems.slice(0, 3).map((/** @type {string} */ problem) => html` <code>${problem}</code>`)}
    </p>
  </div>`}
  ${info.audit.problem && html`<div class="banner bad" role="status"><p><b>Changes are refused,</b> because what is done cannot be recorded: ${info.audit.problem}</p></div>`}`;
}

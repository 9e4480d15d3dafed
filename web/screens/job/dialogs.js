/** What a run or a pause is given. */

import { html, useState } from "../../vendor/preact.js";
import { refusal, useMe } from "../../data/me.js";
import { Dialog } from "../../parts/dialog.js";
import { Check, Text, Variables } from "../../parts/field.js";
import { ProblemBox } from "../../parts/problem.js";
import { Instant } from "../../parts/instant.js";
import { runNow } from "../../parts/run_now.js";
import { pause } from "./verbs.js";

/**
 * @param {{job: Record<string, any>, close: () => void}} props
 */
export function RunDialog({ job, close }) {
  const me = useMe();
  const [given, setGiven] = useState({ arguments: "", dueAt: "", reason: "", environment: /** @type {any[]} */ ([]) });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const set = (/** @type {string} */ key) => (/** @type {any} */ value) => setGiven((known) => ({ ...known, [key]: value }));
  const own = (job.arguments ?? []).join(" ");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    const environment = given.environment.filter((each) => each.name);
    const done = await runNow(job.name, {
      ...(given.arguments ? { arguments: given.arguments } : {}),
      ...(given.dueAt ? { dueAt: given.dueAt } : {}),
      ...(given.reason.trim() ? { reason: given.reason.trim() } : {}),
      ...(environment.length ? { environment } : {}),
    }, setProblem);
    setBusy(false);
    if (done) close();
  };
  const refused = refusal(me, "editor");
  return html`<${Dialog} title="Run ${job.name}" close=${close}>
    <form onSubmit=${submit}>
      <${ProblemBox} problem=${problem} />
      <pre class="command-shown">${job.command || "no command"}</pre>
      <${Text} label="Arguments" mono value=${given.arguments} set=${set("arguments")} placeholder=${own || "as one types them"} hint=${own ? "In place of the job’s own." : "They follow the command."} />
      <${Instant} label="Stands for" value=${given.dueAt} set=${set("dueAt")} hint="The due instant that the run is meant for; left empty it is now." />
      <${Variables}
        items=${given.environment}
        set=${set("environment")}
        label="Variables for this run alone"
        disabled=${refused !== null}
        title=${refused ?? undefined}
        hint=${refused ?? "Beside those of the job."}
      />
      <${Text} label="Reason" value=${given.reason} set=${set("reason")} maxlength=${1000} placeholder="told to your colleagues, optional" />
      <p class="buttons">
        <button type="button" onClick=${close}>Cancel</button>
        <button class="primary" disabled=${busy}>Run it now</button>
      </p>
    </form>
  <//>`;
}

/**
 * @param {{job: string, below: number, close: () => void}} props `below` is how many jobs follow it directly
 */
export function PauseDialog({ job, below, close }) {
  const [subtree, setSubtree] = useState(false);
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    const done = await pause(job, { subtree, ...(until ? { until } : {}), ...(reason.trim() ? { reason: reason.trim() } : {}) }, setProblem);
    setBusy(false);
    if (done) close();
  };
  return html`<${Dialog} title="Pause ${job}" close=${close}>
    <form onSubmit=${submit}>
      <${ProblemBox} problem=${problem} />
      <p>Nothing comes of it by itself meanwhile; what falls due is recorded as skipped. It can still be run by hand.</p>
      <${Instant} label="Until" value=${until} set=${setUntil} hint="Left empty: until somebody resumes it." />
      ${below > 0 && html`<${Check} label="Also all that follows from it" value=${subtree} set=${setSubtree} />`}
      <${Text} label="Reason" value=${reason} set=${setReason} maxlength=${1000} placeholder="told to your colleagues, optional" />
      <p class="buttons">
        <button type="button" onClick=${close}>Cancel</button>
        <button class="primary" disabled=${busy}>Pause</button>
      </p>
    </form>
  <//>`;
}

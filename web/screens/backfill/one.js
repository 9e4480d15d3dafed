/** One backfill: how far it is, with each of its instants, and the way to end it. */

import { html, useState } from "../../vendor/preact.js";
import { counted, day, clock, millis } from "../../data/format.js";
import { part, send } from "../../data/http.js";
import { refusal, useMe } from "../../data/me.js";
import { useGet } from "../../data/query.js";
import { Dialog } from "../../parts/dialog.js";
import { Check, Text } from "../../parts/field.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { standing, State } from "../../parts/state.js";
import { VirtualRows } from "../../parts/table.js";
import { useZone, When } from "../../parts/time.js";
import { to, toJob, toRun } from "../../shell/route.js";
import { tell } from "../../shell/notices.js";
import { moves, Progress, Standing } from "./parts.js";
import { runsOf } from "./progress.js";

/** @param {{id: string}} props */
export function OneBackfill({ id }) {
  const me = useMe();
  const [asking, setAsking] = useState(false);
  const { data, problem, reload } = useGet(`backfill/${part(id)}`, {}, { on: (event) => event.backfill === id });
  const job = data?.job ?? null;
  // Its runs stand in the history of the job, among the others.
  const runs = useGet(job === null ? null : "runs", { job, limit: Math.min(1000, (data?.total ?? 0) + 50) }, { on: moves(job ?? "") });
  const zone = useZone();
  if (!data) return problem ? html`<h1>${id}</h1><${ProblemBox} problem=${problem} retry=${reload} />` : html`<${Loading} lines=${8} />`;

  const refused = refusal(me, "operator");
  const known = runsOf(id, runs.data?.runs ?? []);
  const row = (/** @type {number} */ index) => {
    const { dueAt, begun } = data.dueAt[index];
    const run = known.get(dueAt);
    const at = millis(dueAt);
    return html`<div class="instant-row" role="row" key=${dueAt}>
      <span role="cell" class="number"><time datetime=${dueAt}>${day(at, zone)} ${clock(at, zone)}</time></span>
      <span role="cell">
        ${run
          ? html`<a href=${toRun(run.id)}><${State} state=${standing(run)} /></a>`
          : begun
            ? html`<span class="state quiet"><span class="glyph" aria-hidden="true">·</span>begun</span>`
            : html`<span class="none">${data.state === "going" ? "to come" : "never begun"}</span>`}
      </span>
    </div>`;
  };
  return html`<div class="title-row">
      <h1>Backfill ${id}</h1>
      <${Standing} backfill=${data} />
      <p class="buttons">
        <a class="button" href=${to(["backfill"])}>All backfills</a>
        ${data.state === "going" && html`<button class="danger" disabled=${refused !== null} title=${refused ?? undefined} onClick=${() => setAsking(true)}>Cancel it…</button>`}
      </p>
    </div>
    <section class="card one-backfill">
      <${Progress} backfill=${data} />
      <dl class="facts">
        <dt>Job</dt><dd><a href=${toJob(data.job)}>${data.job}</a></dd>
        <dt>Begun</dt><dd><${When} at=${data.by.at} />, by ${data.by.by}${data.by.reason && `: ${data.by.reason}`}</dd>
        ${data.endedAt && html`<dt>Over</dt><dd><${When} at=${data.endedAt} />${data.reason && `: ${data.reason}`}</dd>`}
        <dt>At once</dt><dd>${counted(data.concurrency, "run")}${data.stopOnFailure ? "; the first that does not succeed ends it" : ""}</dd>
        ${data.arguments !== null && html`<dt>Arguments</dt><dd><code>${data.arguments}</code></dd>`}
        ${data.environment.length > 0 && html`<dt>Variables</dt><dd>${data.environment.map((/** @type {any} */ each) => html`<code>${each.name}=${each.secret ? "***" : each.value}</code> `)}</dd>`}
      </dl>
    </section>
    <section class="instants">
      <h2>${counted(data.dueAt.length, "instant")}</h2>
      <${VirtualRows} total=${data.dueAt.length} height=${36} row=${row} label="its instants" />
    </section>
    ${asking && html`<${Cancel} id=${id} live=${data.live} close=${() => setAsking(false)} />`}`;
}

/** @param {{id: string, live: number, close: () => void}} props */
function Cancel({ id, live, close }) {
  const [kill, setKill] = useState(false);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      const { data } = await send("POST", `backfill/${part(id)}/cancel`, { kill, ...(reason.trim() ? { reason: reason.trim() } : {}) });
      tell({ tone: "good", text: `backfill ${id} is cancelled: ${counted(data.dropped, "run")} will not be begun` });
      close();
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} title="Cancel backfill ${id}?" close=${close}>
    <form onSubmit=${submit}>
      <${ProblemBox} problem=${problem} />
      <p>No further run of it is begun.</p>
      <${Check} label="Also stop those that are live${live ? ` (${live})` : ""}" value=${kill} set=${setKill} />
      <${Text} label="Reason" value=${reason} set=${setReason} maxlength=${1000} placeholder="told to your colleagues, optional" />
      <p class="buttons">
        <button type="button" onClick=${close}>Leave it</button>
        <button class="danger">Cancel the backfill</button>
      </p>
    </form>
  <//>`;
}

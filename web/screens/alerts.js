/**
 * Alerts: what somebody should look at, grouped by what is wrong. Made of how jobs stand at this moment; messages to
 * owners, with acknowledgement and silence, are not part of this release.
 */

import { html } from "../vendor/preact.js";
import { counted } from "../data/format.js";
import { about, useGet } from "../data/query.js";
import { Banners } from "../parts/banners.js";
import { Empty, Loading, ProblemBox } from "../parts/problem.js";
import { Strip } from "../parts/strip.js";
import { JobZone } from "../parts/time.js";
import { to, toJob } from "../shell/route.js";

/** The worst first. */
const GROUPS = [
  { state: "quarantined", title: "Left alone, because deciding them went wrong", glyph: "⚠", tone: "bad" },
  { state: "late", title: "Late", glyph: "◷", tone: "late" },
  { state: "failing", title: "The last run failed", glyph: "✕", tone: "bad" },
];
const LISTED = 50;

export default function Alerts() {
  const info = useGet("info", {}, { on: about(["launcher", "clock", "pause"]) });
  const counts = useGet("overview", { limit: 0 }, { on: about(["job", "run", "stretch"]), every: 60_000 });
  if (counts.problem && !counts.data) return html`<${ProblemBox} problem=${counts.problem} retry=${counts.reload} />`;
  if (!counts.data) return html`<${Loading} />`;
  const groups = GROUPS.filter(({ state }) => counts.data.counts[state] > 0);
  return html`<div>
    <div class="title-row"><h1>Alerts</h1></div>
    <${Banners} info=${info.data} />
    ${groups.length === 0 && html`<${Empty} title="Nothing wants attention">No job is late, failing or left alone.<//>`}
    ${groups.map((group) => html`<${Group} key=${group.state} ...${group} amount=${counts.data.counts[group.state]} />`)}
    <p class="hint">
      E-mail to owners, webhooks, acknowledgement and silence are to come. Until then <code>/metrics</code> has what an alert can be made of.
    </p>
  </div>`;
}

/** @param {{state: string, title: string, glyph: string, tone: string, amount: number}} props */
function Group({ state, title, glyph, tone, amount }) {
  const answer = useGet("overview", { state, limit: LISTED }, { on: about(["job", "run", "stretch"]), every: 60_000 });
  return html`<section class="card alert-group" aria-label=${title}>
    <div class="card-head">
      <h2><span class="state ${tone} small"><span class="glyph" aria-hidden="true">${glyph}</span></span> ${title}</h2>
      <a href=${to(["jobs"], { state })}>${counted(amount, "job")}</a>
    </div>
    ${!answer.data && (answer.problem ? html`<${ProblemBox} problem=${answer.problem} retry=${answer.reload} />` : html`<${Loading} lines=${3} />`)}
    <ul class="runs">
      ${answer.data?.jobs.map(
        (/** @type {any} */ job) => html`<li key=${job.name}>
          <a class="name" href=${toJob(job.name, { tab: "explain" })}>${job.name}</a>
          <span class="soft">${job.owner}</span>
          <${JobZone.Provider} value=${job.zone ?? ""}><${Strip} recent=${job.recent} length=${10} /><//>
        </li>`,
      )}
    </ul>
    ${amount > LISTED && html`<p class="hint">and ${counted(amount - LISTED, "other")}</p>`}
  </section>`;
}

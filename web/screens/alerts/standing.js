/** Jobs that somebody should look at, as they stand at this moment, grouped by what is wrong. */

import { html } from "../../vendor/preact.js";
import { counted } from "../../data/format.js";
import { about, useGet } from "../../data/query.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { Strip } from "../../parts/strip.js";
import { JobZone } from "../../parts/time.js";
import { to, toJob } from "../../shell/route.js";

/** The worst first. */
const GROUPS = [
  { state: "quarantined", title: "Left alone, because deciding them went wrong", glyph: "⚠", tone: "bad" },
  { state: "late", title: "Late", glyph: "◷", tone: "late" },
  { state: "failing", title: "The last run failed", glyph: "✕", tone: "bad" },
];
const LISTED = 50;

/** @param {{told?: boolean}} props `told`: failures are incidents, which are listed elsewhere */
export function Standing({ told = false }) {
  const { data, problem, reload } = useGet("overview", { limit: 0 }, { on: about(["job", "run", "stretch"]), every: 60_000 });
  if (problem && !data) return html`<${ProblemBox} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  const groups = GROUPS.filter(({ state }) => data.counts[state] > 0 && !(told && state === "failing"));
  if (groups.length === 0) return !told && html`<${Empty} title="Nothing wants attention">No job is late, failing or left alone.<//>`;
  return groups.map((group) => html`<${Group} key=${group.state} ...${group} amount=${data.counts[group.state]} />`);
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

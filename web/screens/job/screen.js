/** One job: how it stands and why, what comes next, what was, what it says, and what can be done with it. */

import { html } from "../../vendor/preact.js";
import { getTagged, part } from "../../data/http.js";
import { about, useAnswer, useGet } from "../../data/query.js";
import { definition, kindOf } from "../../data/definition.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { Tabs } from "../../parts/tabs.js";
import { JobZone } from "../../parts/time.js";
import { Header } from "./header.js";
import { Overview } from "./overview.js";
import { History } from "./history.js";
import { Origin } from "./origin.js";
import { Revisions } from "./revisions.js";
import { Definition } from "./definition.js";
import { Explain } from "./explain.js";

const TABS = [
  { id: "overview", label: "Overview" },
  { id: "history", label: "History" },
  { id: "revisions", label: "Revisions" },
  { id: "definition", label: "Definition" },
  { id: "explain", label: "Explain" },
];

const MOVES = ["job", "run", "stretch", "round", "pause"];

/**
 * What every part of this screen is given.
 * @typedef {object} Shown
 * @property {string} name
 * @property {Record<string, any>} job
 * @property {string} etag
 * @property {Record<string, any> | null} preview of its schedule; null of jobs with parents and while it is asked for
 * @property {{code: string, text: string}[]} reasons
 * @property {any[]} live
 * @property {any[] | null} entries the newest of its history
 * @property {import("./facts.js").Pause | null} paused it itself
 * @property {import("./facts.js").Pause | null} everything if all is paused
 * @property {any} origin which source it comes from, and how it differs; null of one that comes from none
 * @property {string[]} skips due instants that are left out
 * @property {string[]} parents
 * @property {string[]} children
 */

/**
 * @param {{route: import("../../shell/route.js").Route}} props
 */
export default function Job({ route }) {
  const name = route.path[1] ?? "";
  const path = part(name);
  const on = about(MOVES, name);
  const job = useAnswer(`job ${name}`, (signal) => getTagged(`job/${path}`, { signal }), { on });
  const scheduled = job.data !== null && kindOf(job.data.data) !== "dependent";
  const explain = useGet(job.data ? `explain/${path}` : null, {}, { on, every: 60_000 });
  const preview = useGet(scheduled ? "preview" : null, { job: name, count: 10 }, { on: about(["job", "run", "stretch"], name), every: 300_000 });
  const live = useGet(job.data ? "runs" : null, { job: name, live: true, limit: 50 }, { on: about(["run"], name) });
  const recent = useGet(job.data ? "runs" : null, { job: name, limit: 100 }, { on: about(["run", "stretch"], name) });
  const pauses = useGet(job.data ? "pauses" : null, {}, { on: about(["job", "pause"], name) });
  const origins = useGet(job.data ? "origins" : null, { job: name }, { on: about(["job"], name) });
  const around = useGet(job.data ? "layout" : null, { job: name, up: 1, down: 1, max: 500 }, { on: about(["job"]) });

  const gone = /not found/.test(job.problem?.message ?? "");
  // It may have been deleted since.
  if (gone || !job.data) {
    if (!job.problem) return html`<${Loading} lines=${8} />`;
    return html`<div class="title-row"><h1>${name}</h1></div>
      <${ProblemBox} problem=${job.problem} retry=${gone ? undefined : job.reload} /> ${gone && html`<${Revisions} name=${name} gone />`}`;
  }

  const { data, etag } = job.data;
  const edges = around.data?.edges ?? [];
  /** @type {Shown} */
  const shown = {
    name,
    job: data,
    etag,
    preview: scheduled ? preview.data : null,
    reasons: explain.data?.reasons ?? [],
    live: live.data?.runs ?? [],
    entries: recent.data?.runs ?? null,
    paused: pauses.data?.jobs.find((/** @type {any} */ each) => each.job === name) ?? null,
    everything: pauses.data?.everything ?? null,
    origin: origins.data?.jobs[0] ?? null,
    skips: (pauses.data?.skips ?? []).filter((/** @type {any} */ each) => each.job === name).map((/** @type {any} */ each) => each.dueAt),
    parents: data.parents ?? [],
    children: edges.filter((/** @type {any} */ edge) => edge.from === name).map((/** @type {any} */ edge) => edge.to),
  };
  const tab = TABS.some(({ id }) => id === route.params.tab) ? route.params.tab : "overview";
  return html`<${JobZone.Provider} value=${data.scheduleTimeZone || ""}>
    <${ProblemBox} problem=${job.problem} retry=${job.reload} />
    <${Header} shown=${shown} />
    <${Origin} origin=${shown.origin} />
    <${Tabs} tabs=${TABS} chosen=${tab} label="parts of the job" />
    ${tab === "overview" && html`<${Overview} shown=${shown} previewProblem=${preview.problem} />`}
    ${tab === "history" && html`<${History} name=${name} params=${route.params} />`}
    ${tab === "revisions" && html`<${Revisions} name=${name} />`}
    ${tab === "definition" && html`<${Definition} job=${definition(data)} etag=${etag} />`}
    ${tab === "explain" && html`<${Explain} shown=${shown} problem=${explain.problem} />`}
  <//>`;
}

/** Jobs: the list, however long. Searched, filtered and sorted by the server; only the rows in sight exist here. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { count, counted } from "../../data/format.js";
import { get } from "../../data/http.js";
import { refusal } from "../../data/me.js";
import { usePages } from "../../data/pages.js";
import { about } from "../../data/query.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { runNow } from "../../parts/run_now.js";
import { useNarrow, VirtualRows } from "../../parts/table.js";
import { Typed } from "../../parts/typed.js";
import { useKeys } from "../../shell/keys.js";
import { choose, go, to, toJob } from "../../shell/route.js";
import { BulkBar } from "./bulk.js";
import { JobRow, RowHead } from "./row.js";

const PAGE = 60;
/** As in styles/jobs.css. */
const ROW_PX = 52;
const NARROW_ROW_PX = 84;

/** Filters in the order in which a person on call wants them. */
const STATES = ["running", "waiting", "late", "failing", "paused", "disabled", "quarantined", "shadow", "fresh"];

/** @param {{route: import("../../shell/route.js").Route, me: import("../../data/me.js").Me}} props */
export default function Jobs({ route, me }) {
  const { search = "", state = "", owner = "", sort = "", desc = "" } = route.params;
  const [active, setActive] = useState(-1);
  const [marked, setMarked] = useState(/** @type {Set<string>} */ (new Set()));
  const asked = { search, state, owner, sort, desc: desc || undefined };

  const jobs = usePages(
    JSON.stringify(asked),
    PAGE,
    async (offset, limit, signal) => {
      const answer = await get("overview", { ...asked, offset, limit }, { signal });
      return { total: answer.total, rows: answer.jobs, rest: answer.counts };
    },
    { on: about(["job", "run", "stretch", "pause"]), every: 60_000 },
  );
  const counts = /** @type {Record<string, number> | null} */ (jobs.rest);
  useEffect(() => setActive(-1), [search, state, owner, sort, desc]);
  // Nothing is done with jobs that are no longer in the list.
  useEffect(() => setMarked(new Set()), [search, state, owner]);
  const narrow = useNarrow();

  const row = (/** @type {number} */ index) => /** @type {any} */ (jobs.at(index));
  const move = (/** @type {number} */ by) => setActive((before) => Math.max(0, Math.min(jobs.total - 1, before + by)));
  useKeys([
    { key: "j", does: "next job", run: () => move(1) },
    { key: "k", does: "previous job", run: () => move(-1) },
    { key: "Enter", does: "open the job", run: () => row(active) && go(toJob(row(active).name)) },
    { key: "x", does: "mark the job", run: () => row(active) && mark(row(active).name) },
    { key: "r", does: "run the job now", run: () => row(active) && !refusal(me, "operator") && runNow(row(active).name) },
  ]);
  const mark = (/** @type {string} */ name) =>
    setMarked((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });

  const filtered = search || state || owner;
  return html`<div class="screen-fill jobs">
    <div class="title-row">
      <h1>Jobs</h1>
      <${Typed} name="search" value=${search} label="search in names, owners and descriptions" placeholder="name, owner or description" main=${true} kind="grow" />
      ${owner &&
      html`<button class="chip-off" onClick=${() => choose({ owner: null })} aria-label="any owner">owner ${owner} ×</button>`}
      <p class="buttons">
        <a class="button" href=${to(["new"])}>New job</a>
      </p>
    </div>
    <div class="filters" role="group" aria-label="states">
      <${Chip} name="" label="all" amount=${counts?.all} chosen=${state} />
      ${STATES.map((each) => (counts?.[each] || each === state || STATES.indexOf(each) < 6) && html`<${Chip} key=${each} name=${each} label=${each === "fresh" ? "never ran" : each} amount=${counts?.[each]} chosen=${state} />`)}
      <label class="sort"
        >sort
        <select value=${sort} onChange=${(/** @type {any} */ event) => choose({ sort: event.target.value, desc: null })}>
          <option value="">name</option>
          <option value="nextDue" selected=${sort === "nextDue"}>next run</option>
          <option value="created" selected=${sort === "created"}>created</option>
        </select>
      </label>
      <button class="quiet" aria-pressed=${desc === "true"} onClick=${() => choose({ desc: desc ? null : "true" })} aria-label="the other way round">${desc ? "↑" : "↓"}</button>
    </div>
    <${BulkBar} marked=${marked} mark=${setMarked} me=${me} asked=${asked} total=${jobs.total} />
    ${jobs.problem && html`<${ProblemBox} problem=${jobs.problem} retry=${jobs.reload} />`}
    ${jobs.loading && !jobs.problem && html`<${Loading} lines=${10} />`}
    ${!jobs.loading && jobs.total === 0 && !jobs.problem &&
    (filtered
      ? html`<${Empty} title="No job is like that"><a href=${to(["jobs"])}>Show all of them.</a><//>`
      : html`<${Empty} title="There is no job yet"><a href=${to(["new"])}>Create the first.</a><//>`)}
    ${jobs.total > 0 &&
    html`<${VirtualRows}
        total=${jobs.total}
        height=${narrow ? NARROW_ROW_PX : ROW_PX}
        label=${counted(jobs.total, "job")}
        head=${html`<${RowHead} />`}
        seen=${jobs.see}
        list=${JSON.stringify(asked)}
        active=${active}
        row=${(/** @type {number} */ index) =>
          html`<${JobRow} key=${index} job=${row(index)} index=${index} active=${index === active} marked=${marked} mark=${mark} me=${me} />`}
      />
      <p class="hint foot" role="status">${counted(jobs.total, "job")}${filtered ? ` of ${count(counts?.all ?? jobs.total)}` : ""}</p>`}
  </div>`;
}

/** @param {{name: string, label: string, amount?: number, chosen: string}} props */
function Chip({ name, label, amount, chosen }) {
  return html`<button class="chip" aria-pressed=${name === chosen} onClick=${() => choose({ state: name }, { keep: true })}>
    ${label} <b>${amount === undefined ? "" : count(amount)}</b>
  </button>`;
}

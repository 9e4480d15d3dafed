/** Everything that ran, was missed or is under way: searched on the server, listed newest first. */

import { html, useEffect, useState } from "../vendor/preact.js";
import { count, counted, day, duration, exact, fully, millis, offset } from "../data/format.js";
import { download } from "../parts/download.js";
import { Empty, ProblemBox } from "../parts/problem.js";
import { look, State, standing, why } from "../parts/state.js";
import { useNarrow, VirtualRows } from "../parts/table.js";
import { foreign, Lasting, useZone, When } from "../parts/time.js";
import { Typed } from "../parts/typed.js";
import { useKeys } from "../shell/keys.js";
import { tell } from "../shell/notices.js";
import { choose, go, to, toJob, toRun } from "../shell/route.js";
import { ROWS_MAX, usePages } from "./history_pages.js";
import { csv, facts, fromField, keyOf, toField } from "./history_rows.js";

const ROW_PX = 38;
const NARROW_ROW_PX = 66;
const VERDICTS = ["succeeded", "failed", "lost", "killed", "missed", "skipped", "superseded"];
const WHYS = ["schedule", "catchUp", "parents", "manual", "retry", "backfill"];
/** Lengths of time that are often looked back. */
const BACK = [
  { label: "1 h", ms: 36e5 },
  { label: "24 h", ms: 864e5 },
  { label: "7 d", ms: 6048e5 },
];
const LATE_MS = 60_000;

/** @param {{route: import("../shell/route.js").Route}} props */
export default function History({ route }) {
  const { job, search, verdict, live, from, to: until, agent, exit, why: because } = route.params;
  const [atTop, setAtTop] = useState(true);
  const [active, setActive] = useState(-1);
  const narrow = useNarrow();
  const pages = usePages({ job, search, verdict, live: live === "true" ? true : undefined, from, to: until, agent, exit, why: because }, atTop);
  const { rows, next, loading, problem, fresh } = pages;
  const filtered = Object.keys(route.params).length > 0;
  const full = rows.length >= ROWS_MAX;

  const move = (/** @type {number} */ by) => setActive((known) => Math.max(0, Math.min(rows.length - 1, known + by)));
  const open = () => {
    const entry = rows[active];
    if (entry) go(entry.kind === "run" ? toRun(entry.id) : toJob(entry.job));
  };
  useKeys([
    { key: "j", does: "the next run", run: () => move(1) },
    { key: "k", does: "the run before", run: () => move(-1) },
    { key: "Enter", does: "look at the run", run: open },
  ]);
  useEffect(() => setActive(-1), [JSON.stringify(route.params)]);

  const seen = (/** @type {number} */ first, /** @type {number} */ last) => {
    setAtTop(first === 0);
    if (last >= rows.length - 20) pages.more();
  };

  return html`<div class="history">
    <div class="title-row">
      <h1>History</h1>
      <span class="buttons">
        <button disabled=${!rows.length} title="what is listed here, for spreadsheets" onClick=${() => save(csv(rows), "text/csv", "csv", rows.length)}>Export CSV</button>
        <button disabled=${!rows.length} title="what is listed here, as the API says it" onClick=${() => save(JSON.stringify(rows, null, 1), "application/json", "json", rows.length)}>Export JSON</button>
      </span>
    </div>
    <${Filters} params=${route.params} />
    <${ProblemBox} problem=${problem} retry=${pages.renew} />
    ${!loading && !problem && rows.length === 0 && next === null
      ? html`<${Empty} title=${filtered ? "Nothing matches" : "Nothing has run yet"} command=${filtered ? undefined : "chronode job run NAME"}>
          ${filtered ? html`<a href=${to(["history"])}>Take all filters away</a>, or look further back.` : "What runs, what fails and what is missed is listed here as it happens."}
        <//>`
      : html`<div class="history-list">
          ${fresh > 0 && html`<button class="fresh" onClick=${pages.renew}>${Object.keys(route.params).some((each) => each !== "job") ? "There may be new ones" : `${counted(fresh, "new run")} since`}</button>`}
          <${VirtualRows}
            total=${rows.length}
            height=${narrow ? NARROW_ROW_PX : ROW_PX}
            active=${active}
            label="runs"
            seen=${seen}
            list=${JSON.stringify(route.params)}
            head=${narrow ? null : html`<${Head} />`}
            row=${(/** @type {number} */ index) => html`<${Row} key=${keyOf(rows[index])} entry=${rows[index]} active=${index === active} narrow=${narrow} index=${index} />`}
          />
        </div>`}
    <p class="hint history-foot" role="status">
      ${counted(rows.length, "entry", "entries")}${next !== null || loading ? " so far" : ""}.
      ${pages.searchedTo && html` Looked back to <${When} at=${pages.searchedTo} exactly=${true} />.`}
      ${loading && " Looking further…"}
      ${!loading && next === null && rows.length > 0 && " That is all there is."}
      ${!loading && next !== null && !full && html` <button class="quiet link" onClick=${pages.more}>Look further back</button>`}
      ${full && ` No more than ${count(ROWS_MAX)} are listed: narrow the search.`}
    </p>
  </div>`;
}

/** @param {{params: Record<string, string>}} props */
function Filters({ params }) {
  const zone = useZone();
  const [between, setBetween] = useState(false);
  const within = Boolean(params.from || params.to);
  const back = (/** @type {number} */ ms) => new Date(Math.floor((Date.now() - ms) / 6e4) * 6e4).toISOString();
  const chip = (/** @type {any} */ content, /** @type {Record<string, any>} */ changes, /** @type {boolean} */ on) =>
    html`<a class="chip" href=${to(["history"], { ...params, ...changes })} aria-current=${on ? "true" : undefined}>${content}</a>`;
  const all = !params.verdict && params.live !== "true";
  return html`<div class="filters" role="search" aria-label="search the history">
      <${Typed} name="search" value=${params.search} label="words in the job’s name" placeholder="Search job names  /" main=${true} />
      ${params.job && html`<a class="chip" href=${to(["history"], { ...params, job: null })} aria-current="true" title="of this job alone; click to see all">${params.job} ×</a>`}
      <label class="choice-of"
        ><span class="unseen">why it ran</span>
        <select value=${params.why ?? ""} onChange=${(/** @type {any} */ event) => choose({ why: event.target.value })}>
          <option value="" selected=${!params.why}>any reason</option>
          ${WHYS.map((each) => html`<option value=${each} selected=${each === params.why}>${why(each)}</option>`)}
        </select></label
      >
      <${Typed} name="agent" value=${params.agent} label="agent" placeholder="Agent" kind="short" />
      <${Typed} name="exit" value=${params.exit} label="exit code" placeholder="Exit code" kind="short" numeric=${true} />
      <span class="range" role="group" aria-label="recorded when">
        <a class="chip" href=${to(["history"], { ...params, from: null, to: null })} aria-current=${within ? undefined : "true"}>any time</a>
        ${BACK.map(({ label, ms }) => html`<button class="chip" title="recorded in the last ${label}" onClick=${() => choose({ from: back(ms), to: null }, { keep: true })}>last ${label}</button>`)}
        ${!within && html`<button class="chip" aria-expanded=${between} onClick=${() => setBetween(!between)}>between…</button>`}
      </span>
      ${(within || between) &&
      html`<span class="range fields">
        <label>recorded from <input type="datetime-local" value=${toField(params.from, zone)} onChange=${(/** @type {any} */ event) => choose({ from: fromField(event.target.value, zone, offset) })} /></label>
        <label>until <input type="datetime-local" value=${toField(params.to, zone)} onChange=${(/** @type {any} */ event) => choose({ to: fromField(event.target.value, zone, offset) })} /></label>
      </span>`}
    </div>
    <div class="filters" role="group" aria-label="how it ended">
      ${chip("all", { verdict: null, live: null }, all)} ${chip(html`<span class="glyph running" aria-hidden="true">▶</span> not over`, { verdict: null, live: "true" }, params.live === "true")}
      ${VERDICTS.map((each) => chip(html`<span class="glyph ${look(each).tone}" aria-hidden="true">${look(each).glyph}</span> ${each}`, { verdict: each, live: null }, params.verdict === each))}
    </div>`;
}

function Head() {
  const zone = foreign(useZone());
  const names = ["State", "Job", "Due", "Started", "Late by", "Took", "Why", "Agent", "Exit", "Reason"];
  return html`<div class="history-row" role="row">${names.map((name) => html`<span role="columnheader" class="of-${name.toLowerCase().replace(" ", "-")}">${name}${name === "Due" && zone && html` <small>${zone}</small>`}</span>`)}</div>`;
}

/** @param {{entry: any, active: boolean, narrow: boolean, index: number}} props */
function Row({ entry, active, narrow, index }) {
  const zone = useZone();
  const { due, started, lateMs, tookMs, agent, exit, why: because, reason } = facts(entry);
  const height = narrow ? NARROW_ROW_PX : ROW_PX;
  const isRun = entry.kind === "run";
  const name = html`<a href=${isRun ? toRun(entry.id) : toJob(entry.job)} title="${entry.job}${isRun ? `\n${entry.id}` : ""}">${entry.job}</a>`;
  const many = isRun
    ? null
    : html`${entry.count > 1 ? html`<b>${count(entry.count)} ${entry.verdict}</b>, first <${When} at=${entry.firstDueAt} exactly=${true} />, last <${When} at=${entry.lastDueAt} exactly=${true} />` : html`<${When} at=${due} exactly=${true} />`}`;
  const took = isRun && started ? (tookMs === null ? html`<${Lasting} from=${started} />` : duration(tookMs)) : null;
  const none = html`<span class="none">–</span>`;
  const state = html`<${State} state=${standing(entry)} />`;
  const shared = { role: "row", "aria-rowindex": index + 1, style: { height: `${height}px` } };
  if (narrow) {
    return html`<div ...${shared} class="history-row narrow ${active ? "active" : ""}">
      <span class="of-state" role="cell">${state}</span>
      <span class="of-job" role="cell">${name}</span>
      <span class="of-more" role="cell">${many ?? html`<${When} at=${due} exactly=${true} />${took && html`, took ${took}`}${exit && html`, exit <span class="exit ${exit.tone}">${exit.text}</span>`}${reason && html` · ${reason}`}`}</span>
    </div>`;
  }
  return html`<div ...${shared} class="history-row ${active ? "active" : ""} ${isRun ? "" : entry.count > 1 ? "stretch" : "stretch single"}">
    <span class="of-state" role="cell">${state}</span>
    <span class="of-job" role="cell">${name}</span>
    ${isRun
      ? html`<span class="of-due" role="cell"><${When} at=${due} exactly=${true} /></span>
          <span class="of-started" role="cell">${started ? html`<${Started} at=${started} due=${due} zone=${zone} />` : none}</span>
          <span class="of-late-by number ${lateMs !== null && lateMs >= LATE_MS ? "late-now" : ""}" role="cell">${lateMs === null ? none : duration(lateMs)}</span>
          <span class="of-took number" role="cell">${took ?? none}</span>
          <span class="of-why" role="cell">${why(because)}</span>
          <span class="of-agent" role="cell" title=${agent}>${agent ?? none}</span>
          <span class="of-exit" role="cell">${exit ? html`<span class="exit ${exit.tone}" title=${exit.text}>${exit.text}</span>` : none}</span>
          <span class="of-reason" role="cell" title=${reason}>${reason}</span>`
      : html`<span class="of-many" role="cell" title=${reason}>${many}</span> <span class="of-reason" role="cell" title=${reason}>${reason}</span>`}
  </div>`;
}

/** On the day that it was due the time of day says enough. @param {{at: string, due: string, zone: string}} props */
function Started({ at, due, zone }) {
  const started = millis(at);
  if (day(started, zone) !== day(millis(due), zone)) return html`<${When} at=${at} exactly=${true} />`;
  return html`<time datetime=${at} title=${fully(started, zone)}>${exact(started, zone).slice(11)}</time>`;
}

/**
 * @param {string} text
 * @param {string} type
 * @param {string} ending
 * @param {number} amount
 */
function save(text, type, ending, amount) {
  download(`chronode-history.${ending}`, new Blob([text], { type }));
  tell({ tone: "good", text: `Exported ${counted(amount, "entry", "entries")}: what is listed so far.` });
}

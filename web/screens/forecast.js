/** What will start, and how much of it at once. */

import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { count, counted, duration, exact, fully, millis, offset } from "../data/format.js";
import { get, part } from "../data/http.js";
import { about, useAnswer, useGet } from "../data/query.js";
import { download } from "../parts/download.js";
import { Empty, Loading, ProblemBox } from "../parts/problem.js";
import { VirtualRows } from "../parts/table.js";
import { useZone, When } from "../parts/time.js";
import { useKeys } from "../shell/keys.js";
import { tell } from "../shell/notices.js";
import { choose, go, to, toJob } from "../shell/route.js";
import { Chart } from "./forecast/chart.js";
import { csv, ics } from "./forecast/exports.js";
import { barsOf, countsOf, crowded, instantOf, LONGEST, LONGEST_BY_MINUTE, offsetOf, sizeFor } from "./forecast/load.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RANGES = [
  { hours: 6, label: "6 h" },
  { hours: 24, label: "24 h" },
  { hours: 72, label: "3 d" },
  { hours: 168, label: "7 d" },
  { hours: 720, label: "30 d" },
  { hours: 2_160, label: "90 d" },
  { hours: 8_760, label: "1 y" },
];
const USUAL = 24;
const LISTED = 10_000;
const CROWDED = 15;
const ROW = 36;

/** @param {{route: import("../shell/route.js").Route}} props */
export default function Forecast({ route: { params } }) {
  const hours = lengthOf(params.hours);
  const start = Date.parse(params.from ?? "");
  const fixed = Number.isNaN(start) ? null : start;
  const per = hours * HOUR > LONGEST_BY_MINUTE ? "hour" : null;
  const answer = useAnswer(
    `forecast ${fixed} ${hours} ${params.job}`,
    (signal) => {
      const from = fixed ?? Date.now();
      const until = from + hours * HOUR;
      return get("forecast", { from: new Date(from).toISOString(), to: new Date(until).toISOString(), job: params.job, limit: LISTED, per }, { signal });
    },
    // What begins now begins later with each minute.
    { on: about(["job", "pause"]), every: fixed === null ? MINUTE : undefined },
  );
  const forecast = answer.data;
  return html`<div class="forecast">
    <div class="title-row">
      <h1>Forecast</h1>
      <span class="chips" role="group" aria-label="how much time is shown">
        ${RANGES.map(
          (range) =>
            html`<button key=${range.hours} class="chip" aria-pressed=${range.hours === hours} onClick=${() => choose({ hours: range.hours === USUAL ? null : range.hours }, { keep: true })}>
              ${range.label}
            </button>`,
        )}
      </span>
      <span class="chips last" role="group" aria-label="shown as">
        <a class="chip" aria-current=${params.as ? undefined : "true"} href=${to(["forecast"], { ...params, as: null })}>Picture</a>
        <a class="chip" aria-current=${params.as ? "true" : undefined} href=${to(["forecast"], { ...params, as: "table" })}>Table</a>
      </span>
    </div>
    <${Choices} params=${params} fixed=${fixed} forecast=${forecast} />
    <${ProblemBox} problem=${answer.problem} retry=${answer.reload} />
    ${!forecast && !answer.problem && html`<${Loading} lines=${8} />`}
    ${forecast && html`<${Shown} forecast=${forecast} unit=${per ? HOUR : MINUTE} params=${params} />`}
  </div>`;
}

/** @param {string | undefined} text */
function lengthOf(text) {
  const value = Number(text);
  return text !== undefined && value > 0 ? Math.min(LONGEST / HOUR, value) : USUAL;
}

/**
 * @param {{params: Record<string, string>, fixed: number | null, forecast: any}} props
 */
function Choices({ params, fixed, forecast }) {
  const zone = useZone();
  const [typed, setTyped] = useState(params.job ?? "");
  useEffect(() => setTyped(params.job ?? ""), [params.job]);
  const found = useGet(typed && typed !== params.job ? "overview" : null, { search: typed, limit: 10 });
  const names = (found.data?.jobs ?? []).map((/** @type {{name: string}} */ { name }) => name);
  const save = (/** @type {"csv" | "ics"} */ kind) => {
    const { starts, total } = forecast;
    const text = kind === "csv" ? csv(starts) : ics(starts, new Date().toISOString());
    download(`forecast.${kind}`, new Blob([text], { type: `${kind === "csv" ? "text/csv" : "text/calendar"};charset=utf-8` }));
    const left = total - starts.length;
    tell({
      tone: "good",
      text: `forecast.${kind} has ${counted(starts.length, "start")}`,
      detail: left > 0 ? `${count(left)} later ones are left out: choose a shorter time or a job to have all of them` : null,
    });
  };
  return html`<form
    class="filters"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      choose({ job: typed }, { keep: true });
    }}
  >
    <label
      >from
      <input
        type="datetime-local"
        value=${fixed === null ? "" : exact(fixed, zone).slice(0, 16).replace(" ", "T")}
        onChange=${(/** @type {any} */ event) => {
          const at = instantOf(event.target.value, (instant) => offset(instant, zone));
          choose({ from: at === null ? null : new Date(at).toISOString() }, { keep: true });
        }}
    /></label>
    <button type="button" class="chip" aria-pressed=${fixed === null} onClick=${() => choose({ from: null }, { keep: true })}>now</button>
    <input
      data-search
      type="search"
      list="forecast-jobs"
      placeholder="All jobs, or the name of one  /"
      aria-label="only this job"
      value=${typed}
      onInput=${(/** @type {any} */ event) => {
        const { value } = event.target;
        setTyped(value);
        // Cleared, or taken from the list: nothing more is to come.
        if (value === "" || names.includes(value)) choose({ job: value });
      }}
    />
    <datalist id="forecast-jobs">${names.map((/** @type {string} */ name) => html`<option value=${name}></option>`)}</datalist>
    <span class="exports">
      <button type="button" disabled=${!forecast?.starts.length} onClick=${() => save("csv")}>CSV</button>
      <button type="button" disabled=${!forecast?.starts.length} title="a calendar" onClick=${() => save("ics")}>ICS</button>
    </span>
  </form>`;
}

/**
 * @param {{forecast: any, unit: number, params: Record<string, string>}} props
 */
function Shown({ forecast, unit, params }) {
  const zone = useZone();
  const from = millis(forecast.from);
  const end = millis(forecast.to);
  const [width, setWidth] = useState(0);
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measured = new ResizeObserver(() => setWidth(element.clientWidth));
    measured.observe(element);
    return () => measured.disconnect();
  }, [params.as]);
  const counts = useMemo(() => countsOf(forecast), [forecast]);
  const size = sizeFor(end - from, unit, Math.max(20, width / 4));
  const bars = useMemo(() => barsOf(counts, from, end, size), [counts, size]);
  const changes = useMemo(
    () => (forecast.clockChanges ?? []).map((/** @type {any} */ each) => ({ at: millis(each.at), by: offsetOf(each.afterOffset) - offsetOf(each.beforeOffset) })),
    [forecast],
  );
  const one = unit === MINUTE ? "minute" : "hour";
  if (forecast.total === 0) {
    return html`<${Changes} changes=${forecast.clockChanges ?? []} zone=${zone} />
      <${Empty} title=${params.job ? `${params.job} will not start in this time` : "Nothing will start in this time"} command=${`curl ${new URL(`scheduler/explain/${part(params.job || "JOB")}`, document.baseURI)}`}>
        Disabled jobs, jobs that start after their parents, and <code>@reboot</code> are not in a forecast. Ask a job why nothing comes of it.
      <//>`;
  }
  return html`<p class="summary">
      <b>${counted(forecast.total, "start")}</b> from <${When} at=${forecast.from} exactly /> to <${When} at=${forecast.to} exactly />, ${duration(end - from)}.
      ${forecast.crowded && html` The most crowded minute is <b><${When} at=${forecast.crowded.minute} exactly /></b> with ${counted(forecast.crowded.count, "start")}.`}
      ${!forecast.complete && html` <span class="state late"><span class="glyph" aria-hidden="true">!</span>only the earliest ones are counted: there are too many</span>`}
    </p>
    <${Changes} changes=${forecast.clockChanges ?? []} zone=${zone} />
    ${params.as
      ? html`<${CountTable} counts=${counts} one=${one} />`
      : html`<div class="card chart" ref=${box}>
          <${Chart}
            bars=${bars}
            size=${size}
            unit=${unit}
            from=${from}
            to=${end}
            zone=${zone}
            width=${width}
            changes=${changes}
            select=${(/** @type {number} */ first, /** @type {number} */ last) => {
              const begins = Math.floor(first / MINUTE) * MINUTE;
              const length = Math.max(0.1, Math.round((last - first) / HOUR * 100) / 100);
              choose({ from: new Date(begins).toISOString(), hours: length }, { keep: true });
            }}
          />
        </div>`}
    <div class="forecast-lists">
      <section aria-label="crowded ${one}s">
        <h2>Crowded ${one}s</h2>
        <${Crowded} counts=${counts} />
      </section>
      <section class="starts" aria-label="starts">
        <h2>Starts${forecast.total > forecast.starts.length ? html` <small>the first ${count(forecast.starts.length)} of ${count(forecast.total)}</small>` : ""}</h2>
        <${Starts} starts=${forecast.starts} />
      </section>
    </div>`;
}

/**
 * Changes of clocks in the zones of jobs.
 * @param {{changes: {zone: string, at: string, beforeOffset: string, afterOffset: string}[], zone: string}} props
 */
function Changes({ changes, zone }) {
  if (changes.length === 0) return null;
  return html`<ul class="clock-changes" aria-label="changes of clocks">
    ${changes.map(({ zone: name, at, beforeOffset, afterOffset }) => {
      const by = offsetOf(afterOffset) - offsetOf(beforeOffset);
      return html`<li key=${`${name} ${at}`}>
        <span class="state late" title="${fully(millis(at), zone)}\n${exact(millis(at) - 1_000, name)} ${beforeOffset} is followed by ${exact(millis(at), name)} ${afterOffset}"
          ><span class="glyph" aria-hidden="true">◷</span>DST ${name}: ${exact(millis(at), zone).slice(0, 16)}, ${duration(by)} ${by > 0 ? "forward" : "back"}</span
        >
      </li>`;
    })}
  </ul>`;
}

/** @param {{counts: import("./forecast/load.js").Count[]}} props */
function Crowded({ counts }) {
  const shown = useMemo(() => crowded(counts, CROWDED), [counts]);
  const most = shown[0]?.count ?? 1;
  return html`<ol class="crowded">
    ${shown.map(
      ({ at, count: starts, jobs }) => html`<li key=${at}>
        <span class="when"><${When} at=${at} exactly /> <b class="number">${count(starts)}</b></span>
        <span class="meter" aria-hidden="true"><i style=${{ width: `${(100 * starts) / most}%` }}></i></span>
        <small class="jobs">
          ${jobs.map((job, index) => html`<span key=${job}><a href=${toJob(job)} title=${job}>${job}</a>${index < jobs.length - 1 ? "," : ""}</span> `)}${jobs.length >= 10 && starts > jobs.length ? "and others" : ""}
        </small>
      </li>`,
    )}
  </ol>`;
}

/** @param {{starts: import("./forecast/exports.js").Start[]}} props */
function Starts({ starts }) {
  const [active, setActive] = useState(-1);
  const move = (/** @type {number} */ by) => setActive((known) => Math.max(0, Math.min(starts.length - 1, known + by)));
  useKeys([
    { key: "j", does: "next start", run: () => move(1) },
    { key: "k", does: "previous start", run: () => move(-1) },
    { key: "Enter", does: "open the job", run: () => starts[active] && go(toJob(starts[active].job)) },
  ]);
  const row = (/** @type {number} */ index) => {
    const start = starts[index];
    if (!start) return null;
    return html`<div class="start-row ${index === active ? "active" : ""}" role="row" aria-rowindex=${index + 1} style=${{ height: `${ROW}px` }}>
      <span role="cell"><${When} at=${start.opensAt} exactly /></span>
      <span role="cell"><${When} at=${start.opensAt} /></span>
      <span role="cell"><a href=${toJob(start.job)} title=${start.job}>${start.job}</a></span>
      <span role="cell" class="number" title="when it is due, in the zone of the job">${wall(start.local)}</span>
    </div>`;
  };
  const head = html`<div class="start-row" role="row">
    ${["Starts", "", "Job", "Due in its zone"].map((name) => html`<span role="columnheader">${name || html`<span class="unseen">from now</span>`}</span>`)}
  </div>`;
  return html`<${VirtualRows} total=${starts.length} height=${ROW} row=${row} head=${head} active=${active} label="starts" />`;
}

/**
 * `2026-11-27T03:00:00+01:00` for people.
 * @param {string} local
 */
const wall = (local) => local.replace("T", " ").replace(/(:\d\d):00(?=[+\-Z])/, "$1").replace(/(?=[+-]\d\d:\d\d$)/, " ").replace(/Z$/, " UTC");

/**
 * What the chart shows, in numbers.
 * @param {{counts: import("./forecast/load.js").Count[], one: string}} props
 */
function CountTable({ counts, one }) {
  const row = (/** @type {number} */ index) => {
    const each = counts[index];
    if (!each) return null;
    return html`<div class="count-row" role="row" aria-rowindex=${index + 1} style=${{ height: `${ROW}px` }}>
      <span role="cell"><${When} at=${each.at} exactly /></span>
      <span role="cell" class="number">${count(each.count)}</span>
      <span role="cell" title=${each.jobs.join("\n")}>${each.jobs.join(", ")}</span>
    </div>`;
  };
  const head = html`<div class="count-row" role="row">
    ${[one === "minute" ? "Minute" : "Hour", "Starts", "Jobs"].map((name) => html`<span role="columnheader">${name}</span>`)}
  </div>`;
  return html`<${VirtualRows} total=${counts.length} height=${ROW} row=${row} head=${head} label="starts by ${one}" />`;
}

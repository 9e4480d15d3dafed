/** Who did what, what was refused, and the reason that was given. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { counted } from "../data/format.js";
import { get } from "../data/http.js";
import { refusal } from "../data/me.js";
import { onEvent, retrying } from "../data/stream.js";
import { Dialog } from "../parts/dialog.js";
import { Empty, ProblemBox } from "../parts/problem.js";
import { VirtualRows } from "../parts/table.js";
import { When } from "../parts/time.js";
import { Typed } from "../parts/typed.js";
import { useKeys } from "../shell/keys.js";
import { to, toJob, toRun } from "../shell/route.js";
import { did, outcomeOf, particulars } from "./audit_words.js";

const PAGE = 100;
const ROWS_MAX = 20_000;
const ROW_PX = 38;
const NARROW_ROW_PX = 66;
const REFRESH_MS = 1_500;

/**
 * @typedef {import("./audit_words.js").Entry} Entry
 * @param {{route: import("../shell/route.js").Route, me: import("../data/me.js").Me}} props
 */
export default function Audit({ route, me }) {
  const refused = refusal(me, "admin") ?? (me.scope ? `needs credentials without a scope; yours is ${me.scope.join(", ")}` : null);
  if (refused) {
    return html`<h1>Audit</h1>
      <${Empty} title="Not for you" command="chronode credential --credentials FILE add --role admin NAME">
        The audit log ${refused}. It tells of all jobs and of everybody, so only those see it who may. Whoever keeps the credentials adds another with:
      <//>`;
  }
  return html`<${Records} route=${route} />`;
}

/** @param {{route: import("../shell/route.js").Route}} props */
function Records({ route }) {
  const { job, caller } = route.params;
  const [atTop, setAtTop] = useState(true);
  const [active, setActive] = useState(-1);
  const [open, setOpen] = useState(/** @type {Entry | null} */ (null));
  const { rows, next, loading, problem, more, renew } = useRecords({ job, caller }, atTop);
  const narrow = matchMedia("(max-width: 760px)").matches;

  useKeys([
    { key: "j", does: "the next record", run: () => setActive((known) => Math.min(rows.length - 1, known + 1)) },
    { key: "k", does: "the record before", run: () => setActive((known) => Math.max(0, known - 1)) },
    { key: "Enter", does: "all that is recorded of it", run: () => rows[active] && setOpen(rows[active]) },
  ]);

  const row = (/** @type {number} */ index) => {
    const entry = rows[index];
    const { tone, glyph, text } = outcomeOf(entry.outcome);
    const outcome = html`<span class="state ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span>${text}</span>`;
    const said = html`${entry.reason && html`<q>${entry.reason}</q> `}${entry.detail && html`<span class="none">${entry.detail}</span>`}`;
    return html`<div key=${entry.sequence} role="row" aria-rowindex=${index + 1} class="audit-row ${index === active ? "active" : ""}" style=${{ height: `${narrow ? NARROW_ROW_PX : ROW_PX}px` }} onClick=${(/** @type {any} */ event) => {
      if (!event.target.closest("a") && !getSelection()?.toString()) setOpen(entry);
    }}>
      <span role="cell" class="of-at"><${When} at=${entry.at} exactly=${true} /></span>
      <span role="cell" class="of-caller" title=${entry.role ? `role ${entry.role}` : undefined}>${entry.caller}</span>
      <span role="cell" class="of-what">${did(entry.what)} <${About} entry=${entry} /></span>
      <span role="cell" class="of-outcome">${outcome}</span>
      <span role="cell" class="of-reason" title=${[entry.reason, entry.detail].filter(Boolean).join("\n")}>${said}</span>
      <span role="cell" class="of-open"><button class="quiet" aria-label="all that is recorded of it" onClick=${() => setOpen(entry)}>…</button></span>
    </div>`;
  };
  const head = html`<div class="audit-row" role="row">
    ${["At", "Who", "Did", "Outcome", "Reason"].map((name) => html`<span role="columnheader" class="of-${name === "Who" ? "caller" : name === "Did" ? "what" : name.toLowerCase()}">${name}</span>`)}
    <span role="columnheader"><span class="unseen">more</span></span>
  </div>`;

  return html`<div class="audit">
    <div class="title-row"><h1>Audit</h1></div>
    <div class="filters" role="search" aria-label="search the audit log">
      <${Typed} name="job" value=${job} label="job" placeholder="Job: its whole name  /" main=${true} />
      <${Typed} name="caller" value=${caller} label="caller" placeholder="Who" />
      ${(job || caller) && html`<a href=${to(["audit"])}>all</a>`}
    </div>
    <${ProblemBox} problem=${problem} retry=${renew} />
    ${!loading && !problem && rows.length === 0
      ? html`<${Empty} title="Nothing is recorded${job || caller ? " of that" : " yet"}">Changes, runs by hand and what was refused are recorded here, with who it was and the reason that was given.<//>`
      : html`<div class="history-list">
          <${VirtualRows}
            total=${rows.length}
            height=${narrow ? NARROW_ROW_PX : ROW_PX}
            active=${active}
            label="audit log"
            row=${row}
            head=${narrow ? null : head}
            seen=${(/** @type {number} */ first, /** @type {number} */ last) => {
              setAtTop(first === 0);
              if (last >= rows.length - 20) more();
            }}
          />
        </div>`}
    <p class="hint history-foot" role="status">
      ${counted(rows.length, "record")}${next !== null || loading ? " so far" : ""}.${loading ? " Reading…" : next === null && rows.length ? " That is all that is kept." : ""}
      ${rows.length >= ROWS_MAX && " More are not listed: narrow the search."}
    </p>
    ${open && html`<${Particulars} entry=${open} close=${() => setOpen(null)} />`}
  </div>`;
}

/** What it was about, as links. @param {{entry: Entry, all?: boolean}} props */
function About({ entry, all = false }) {
  const jobs = entry.jobs ?? [];
  const shown = all ? jobs : jobs.slice(0, 2);
  return html`${shown.map((name, index) => html`${index ? ", " : ""}<a href=${toJob(name)} title=${name}>${name}</a>`)}${jobs.length > shown.length && ` and ${jobs.length - shown.length} more`}${entry.run &&
  html` <a class="mono" href=${toRun(entry.run)}>${entry.run}</a>`}`;
}

/** @param {{entry: Entry, close: () => void}} props */
function Particulars({ entry, close }) {
  return html`<${Dialog} title="${entry.caller} ${did(entry.what)}" close=${close}>
    <dl class="facts">
      <dt>At</dt>
      <dd><${When} at=${entry.at} exactly=${true} /> <small><${When} at=${entry.at} /></small></dd>
      <dt>About</dt>
      <dd><${About} entry=${entry} all=${true} /></dd>
      <dt>Outcome</dt>
      <dd>${outcomeOf(entry.outcome).text}</dd>
      <dt>Reason</dt>
      <dd>${entry.reason ? html`<q>${entry.reason}</q>` : html`<span class="none">none was given</span>`}</dd>
      ${entry.detail && html`<dt>Detail</dt><dd>${entry.detail}</dd>`}
      ${particulars(entry).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
    </dl>
    <p class="buttons"><button class="primary" onClick=${close}>Close</button></p>
  <//>`;
}

/**
 * Records as far as the reader looks; the newest again when something has happened.
 * @param {{job?: string, caller?: string}} params
 * @param {boolean} atTop
 */
function useRecords(params, atTop) {
  const key = JSON.stringify(params);
  const empty = { key, rows: /** @type {Entry[]} */ ([]), next: /** @type {string | null} */ (null), loading: true, problem: /** @type {Error | null} */ (null) };
  const [state, setState] = useState(empty);
  const latest = useRef({ state, atTop, params });
  latest.current = { state, atTop, params };
  const acts = useRef({ more: () => {}, renew: () => {} });

  useEffect(() => {
    const stopped = new AbortController();
    let busy = false;
    /** @type {ReturnType<typeof setTimeout> | null} */
    let planned = null;
    /** @type {string | null} */
    let again = null;
    const retry = retrying(() => void read(again));
    const read = async (/** @type {string | null} */ before) => {
      if (busy) return;
      busy = true;
      again = before;
      const known = before === null || latest.current.state.key !== key ? [] : latest.current.state.rows;
      try {
        const page = await get("audit", { ...latest.current.params, limit: PAGE, before }, { signal: stopped.signal });
        retry.told(null);
        setState({ key, rows: [...known, ...page.records], next: page.next, loading: false, problem: null });
      } catch (error) {
        if (!stopped.signal.aborted) {
          setState((last) => ({ ...(last.key === key ? last : empty), loading: false, problem: error instanceof Error ? error : new Error(String(error)) }));
          retry.told(error);
        }
      }
      busy = false;
    };
    acts.current = {
      more: () => {
        const { state: now } = latest.current;
        if (now.key === key && now.next !== null && now.rows.length < ROWS_MAX) void read(now.next);
      },
      renew: () => void read(null),
    };
    setState((last) => (last.key === key ? last : empty));
    void read(null);
    // There is no event of a record; what people do mostly has one of its own.
    const stop = onEvent(({ kind, what }) => {
      const concerns = kind === "reset" || kind === "job" || kind === "pause" || kind === "backfill" || (kind === "run" && what === "recorded");
      if (!concerns || !latest.current.atTop || latest.current.state.rows.length > PAGE) return;
      planned ??= setTimeout(() => {
        planned = null;
        void read(null);
      }, REFRESH_MS);
    });
    return () => {
      stopped.abort();
      stop();
      retry.stop();
      if (planned) clearTimeout(planned);
    };
  }, [key]);
  const shown = state.key === key ? state : empty;
  return { ...shown, more: () => acts.current.more(), renew: () => acts.current.renew() };
}

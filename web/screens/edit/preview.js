/** What a draft would come to, asked for while it is typed: when it runs, what is wrong with it, who else runs then. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { address, ask, get, send } from "../../data/http.js";
import { body, kindOf, pathOf } from "../../data/definition.js";
import { counted, exact } from "../../data/format.js";
import { Occurrences } from "../../parts/occurrences.js";
import { Loading } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { refusals } from "./faults.js";

const PAUSE_MS = 300;
/** Of so many minutes it is told who else starts in them. */
const MINUTES = 5;

/**
 * @typedef {object} Trial
 * @property {Record<string, any> | null} preview null of jobs with parents, and where the schedule cannot be read
 * @property {string} zone by whose clock the preview is
 * @property {import("./faults.js").Refused[]} refused
 * @property {string[]} warnings
 * @property {string[]} consequences
 * @property {boolean} asking
 */

/**
 * A name of letters stands in for one that is not typed yet, so that all else can be judged.
 * @param {Record<string, any>} draft
 */
const named = (draft) => ({ ...draft, name: draft.name || "new-job" });

/**
 * @param {Record<string, any>} draft
 * @param {Record<string, any> | null} base
 * @param {string} etag
 * @returns {Trial}
 */
export function useTrial(draft, base, etag) {
  const [trial, setTrial] = useState(/** @type {Trial} */ ({ preview: null, zone: "", refused: [], warnings: [], consequences: [], asking: true }));
  useEffect(() => {
    const stopped = new AbortController();
    setTrial((known) => ({ ...known, asking: true }));
    const timer = setTimeout(async () => {
      const sent = named(body(draft, base));
      const [preview, dry] = await Promise.allSettled([previewOf(sent, 10, stopped.signal), tryOut(sent, draft, etag)]);
      if (stopped.signal.aborted) return;
      const problem = /** @type {any} */ (dry.status === "rejected" ? dry.reason : preview.status === "rejected" ? preview.reason : null);
      const told = dry.status === "fulfilled" ? dry.value : null;
      setTrial((known) => ({
        // What was right before stays to be seen while something is being typed.
        preview: preview.status === "fulfilled" ? preview.value : kindOf(draft) === "dependent" ? null : known.preview,
        zone: preview.status === "fulfilled" ? String(draft.scheduleTimeZone ?? "") : known.zone,
        refused: problem ? refusals(problem) : [],
        warnings: [...new Set([...(told?.warnings ?? []), ...(preview.status === "fulfilled" ? (preview.value?.warnings ?? []) : [])])],
        consequences: told?.consequences ?? [],
        asking: false,
      }));
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stopped.abort();
    };
  }, [JSON.stringify(draft), etag]);
  return trial;
}

/**
 * The occurrences of a definition that need not be stored; null of one with parents.
 * @param {Record<string, any>} sent
 * @param {number} count
 * @param {AbortSignal} [signal]
 */
export async function previewOf(sent, count, signal) {
  if (kindOf(sent) === "dependent") return null;
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sent), signal };
  return (await ask(address("preview", { count }), init)).json();
}

/**
 * @param {Record<string, any>} sent
 * @param {Record<string, any>} draft
 * @param {string} etag
 */
async function tryOut(sent, draft, etag) {
  try {
    // That somebody else changed it meanwhile is told when it is to be saved.
    const create = !etag && Boolean(draft.name);
    return (await send("POST", pathOf(sent), sent, { params: { dryRun: true }, create })).data;
  } catch (error) {
    const problem = /** @type {import("../../data/http.js").Problem} */ (error);
    if (problem.status === 403) return null;
    if (problem.status === 412) {
      problem.field = "name";
      problem.message = "there is a job of this name already";
      problem.remedy = "choose another name, or edit that job";
    }
    throw problem;
  }
}

/**
 * @param {{draft: Record<string, any>, trial: Trial, stored: string | null}} props
 */
export function Preview({ draft, trial, stored }) {
  const { preview, zone, warnings, consequences, asking, refused } = trial;
  const scheduled = kindOf(draft) !== "dependent";
  const wrong = refused.some((each) => ["schedule", "scheduleTimeZone", "dst", "jitter", "calendars", "notBefore", "notAfter"].some((field) => each.field.startsWith(field)));
  return html`<section class="card" aria-busy=${asking}>
    <h2>${scheduled ? "When it runs" : "After its parents"}</h2>
    ${scheduled && !preview && (asking ? html`<${Loading} lines=${3} />` : html`<p class="none">Nobody can say yet.</p>`)}
    ${scheduled &&
    preview &&
    html`<div class=${wrong ? "outdated" : ""}>
      <p class="words">${wrong ? "Before: " : ""}<${Sentence} text=${preview.description} /></p>
      ${preview.next.length === 0 ? html`<p class="none">It names nothing to come.</p>` : html`<${Occurrences} next=${preview.next} zone=${zone} compact />`}
    </div>`}
    ${!scheduled && html`<p class="hint">It has no times of its own: it runs when its parents are ready.</p>`}
    ${draft.disabled === true && html`<p class="warning">It is disabled, so none of this will be run.</p>`}
  </section>
  ${warnings.length + consequences.length > 0 &&
  html`<section class="card">
    <h2>Worth knowing</h2>
    ${[...warnings, ...consequences].map((text) => html`<p class="warning"><${Sentence} text=${text} /></p>`)}
  </section>`}
  ${scheduled && preview !== null && preview.next.length > 0 && !wrong && html`<${Crowded} next=${preview.next} stored=${stored} zone=${zone} />`}`;
}

/**
 * How many other jobs start in the minutes in which this one would.
 * @param {{next: import("../../data/occurrences.js").Occurrence[], stored: string | null, zone: string}} props
 */
function Crowded({ next, stored, zone }) {
  const minutes = [...new Set(next.map((each) => Math.floor(Date.parse(each.opensAt ?? each.utc) / 60_000) * 60_000))].slice(0, MINUTES);
  const [found, setFound] = useState(/** @type {{minute: number, others: number, jobs: string[]}[]} */ ([]));
  useEffect(() => {
    const stopped = new AbortController();
    const ahead = async () => {
      const list = [];
      for (const minute of minutes) list.push(await othersIn(minute, stored, stopped.signal));
      if (!stopped.signal.aborted) setFound(list);
    };
    // One after the other: the server calculates few forecasts of one reader at a time. Without an answer there is none.
    ahead().catch(() => !stopped.signal.aborted && setFound([]));
    return () => stopped.abort();
  }, [minutes.join(" "), stored]);
  const known = found.filter((each) => minutes.includes(each.minute));
  if (known.length === 0) return null;
  const most = Math.max(...known.map((each) => each.others), 10);
  return html`<section class="card">
    <h2>Who else starts then</h2>
    <ul class="crowd">
      ${known.map(
        ({ minute, others, jobs }) => html`<li>
          <span class="number">${exact(minute, zone || "UTC").slice(5, 16)}</span>
          <span class="measure" aria-hidden="true"><span class=${others >= 20 ? "late" : ""} style=${{ width: `${(others / most) * 100}%` }}></span></span>
          <span title=${jobs.join("\n")}>${others === 0 ? "nobody" : counted(others, "other job")}</span>
        </li>`,
      )}
    </ul>
    ${most >= 20 && html`<p class="hint">A <code>jitter</code> spreads starts, and <code>H</code> in a cron line chooses a minute for the job.</p>`}
  </section>`;
}

/**
 * @param {number} minute
 * @param {string | null} stored the job itself is not among the others
 * @param {AbortSignal} signal
 */
async function othersIn(minute, stored, signal) {
  const window = { from: new Date(minute).toISOString(), to: new Date(minute + 60_000).toISOString(), limit: 1 };
  const all = await get("forecast", window, { signal });
  const own = stored === null || all.total === 0 ? 0 : (await get("forecast", { ...window, job: stored }, { signal })).total;
  const jobs = (all.perMinute[0]?.jobs ?? []).filter((/** @type {string} */ each) => each !== stored);
  return { minute, others: all.total - own, jobs };
}

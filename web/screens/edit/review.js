/** What saving a draft would change, before it does; and what to do when somebody else has changed the job meanwhile. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { changes } from "../../data/diff.js";
import { body, definition, kindOf, pathOf, rebase } from "../../data/definition.js";
import { counted } from "../../data/format.js";
import { get, getTagged, part, send } from "../../data/http.js";
import { compare } from "../../data/occurrences.js";
import { onConnection } from "../../data/stream.js";
import { Changes } from "../../parts/changes.js";
import { Dialog } from "../../parts/dialog.js";
import { Occurrences } from "../../parts/occurrences.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { go, to, toJob } from "../../shell/route.js";
import { tell } from "../../shell/notices.js";
import { previewOf } from "./preview.js";

/** @typedef {import("./kept.js").Kept} Kept */

const AHEAD_MS = 7 * 86_400_000;
/** Of so many occurrences the comparison is made. */
const MOST = 200;
/** So many of those that come or go are listed. */
const LISTED = 10;

/**
 * @typedef {object} Plan
 * @property {string[]} sentences
 * @property {ReturnType<typeof compare> | null} runs null of jobs with parents before and after
 */

/**
 * What the API says that saving comes to.
 * @param {Kept} edited
 * @param {Record<string, any>} sent
 * @returns {Promise<Plan>}
 */
async function plan({ base, etag }, sent) {
  const { data } = await send("POST", pathOf(sent), sent, { params: { dryRun: true }, ...(base ? { ifMatch: etag } : { create: true }) });
  const scheduled = (/** @type {Record<string, any> | null} */ job) => job !== null && kindOf(job) !== "dependent";
  if (!scheduled(base) && !scheduled(sent)) return { sentences: [...data.warnings, ...data.consequences], runs: null };
  // Nothing of a disabled job is run, whatever its schedule names.
  const before = base && scheduled(base) && !base.disabled ? (await get("preview", { job: base.name, count: MOST })).next : [];
  const after = scheduled(sent) && !sent.disabled ? ((await previewOf(sent, MOST))?.next ?? []) : [];
  return { sentences: [...data.warnings, ...data.consequences], runs: compare(before, after, MOST, Date.now() + AHEAD_MS) };
}

/**
 * @param {object} props
 * @param {Kept} props.edited
 * @param {() => void} props.close
 * @param {(next: Kept) => void} props.rebased
 * @param {() => void} props.saved
 */
export function Review({ edited, close, rebased, saved }) {
  const { base, etag, draft } = edited;
  const sent = body(draft, base);
  const [planned, setPlanned] = useState(/** @type {Plan | null} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const [turn, setTurn] = useState(0);
  const retry = () => setTurn((known) => known + 1);

  useEffect(() => {
    let shown = true;
    setPlanned(null);
    setProblem(null);
    plan(edited, sent).then(
      (found) => shown && setPlanned(found),
      (error) => shown && setProblem(error),
    );
    return () => {
      shown = false;
    };
  }, [etag, JSON.stringify(draft), turn]);
  useEffect(() => {
    if (!problem) return;
    let was = true;
    return onConnection(({ live }) => {
      if (live && !was) retry();
      was = live;
    });
  }, [problem]);

  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const { warnings } = await send("POST", pathOf(sent), sent, base ? { ifMatch: etag } : { create: true });
      saved();
      tell({ tone: "good", text: `${draft.name} is ${base ? "changed" : "created"}`, detail: warnings.join("; ") || null });
      go(toJob(draft.name));
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  const conflict = problem?.status === 412;
  const title = base ? `This changes ${draft.name}` : `This creates ${draft.name || "a job"}`;
  return html`<${Dialog} title=${title} close=${close} wide>
    ${conflict && base && html`<${Conflict} edited=${edited} rebased=${rebased} />`}
    ${conflict && !base && html`<${Taken} name=${draft.name} />`}
    ${!conflict && html`<${ProblemBox} problem=${problem} retry=${retry} />`}
    <form onSubmit=${save}>
      ${!conflict &&
      html`<${Changes} list=${base ? changes(base, sent) : changes({}, sent).filter(says)} old="stored" now="draft" />
        ${!planned && !problem && html`<${Loading} lines=${3} />`} ${planned && html`<${Planned} plan=${planned} zone=${String(sent.scheduleTimeZone ?? "")} />`}`}
      <p class="buttons">
        <button type="button" onClick=${close}>Back to the draft</button>
        ${!conflict && html`<button class="primary" disabled=${busy || !planned} autofocus>${base ? "Save the change" : "Create the job"}</button>`}
      </p>
    </form>
  <//>`;
}

/**
 * Of a new job, what is empty is what it would be anyhow.
 * @param {import("../../data/diff.js").Change} change
 */
function says({ new: value }) {
  return value !== "" && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** @param {{plan: Plan, zone: string}} props */
function Planned({ plan: { sentences, runs }, zone }) {
  return html`
    ${runs && html`<${Runs} runs=${runs} zone=${zone} />`}
    ${sentences.length > 0 &&
    html`<h3>Worth knowing</h3>
      ${sentences.map((text) => html`<p class="warning"><${Sentence} text=${text} /></p>`)}`}
  `;
}

/** @param {{runs: ReturnType<typeof compare>, zone: string}} props */
function Runs({ runs: { added, removed, kept, until }, zone }) {
  const days = Math.round((until - Date.now()) / 86_400_000);
  const span = days >= 1 ? `in the next ${counted(days, "day")}` : html`until <${Sentence} text=${new Date(until).toISOString()} />`;
  const column = (/** @type {string} */ label, /** @type {string} */ tone, /** @type {any[]} */ list) =>
    list.length > 0 &&
    html`<div>
      <h4 class="tone ${tone}">${label}</h4>
      <${Occurrences} next=${list.slice(0, LISTED)} zone=${zone} compact />
      ${list.length > LISTED && html`<p class="hint">and ${list.length - LISTED} more</p>`}
    </div>`;
  return html`<section class="planned-runs">
    <h3>Runs ${span}</h3>
    <p>
      <span class="tone good">+ ${added.length} added</span>, <span class="tone bad">− ${removed.length} removed</span>, ${kept} as before
    </p>
    <div class="cards">${column("+ added", "good", added)} ${column("− removed", "bad", removed)}</div>
  </section>`;
}

/** @param {{name: string}} props */
function Taken({ name }) {
  return html`<div class="problem" role="alert">
    <p>There is a job ${name} already.</p>
    <p class="hint">Choose another name, or <a href=${to(["edit", name])}>edit that job</a>.</p>
  </div>`;
}

/**
 * Somebody else stored another definition since this one was read.
 * @param {{edited: Kept, rebased: (next: Kept) => void}} props
 */
function Conflict({ edited, rebased }) {
  const [theirs, setTheirs] = useState(/** @type {{data: Record<string, any>, etag: string} | null} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const base = edited.base ?? {};
  useEffect(() => {
    getTagged(`job/${part(base.name)}`).then(
      ({ data, etag }) => setTheirs({ data: definition(data), etag }),
      (error) => setProblem(error),
    );
  }, []);
  if (problem) {
    return html`<div class="problem" role="alert">
      <p>The job is no longer there: ${problem.message}.</p>
      <button onClick=${() => rebased({ base: null, etag: "", draft: edited.draft })}>Make it anew of this draft</button>
    </div>`;
  }
  if (!theirs) return html`<${Loading} />`;
  const { merged, conflicts } = rebase(base, edited.draft, theirs.data);
  return html`<div role="alert">
    <p class="warning">Somebody else has changed the job since you began. What they changed:</p>
    <${Changes} list=${changes(base, theirs.data)} old="as you read it" now="stored now" />
    ${conflicts.length > 0 && html`<p>Both of you changed ${conflicts.map((field, index) => html`${index ? ", " : ""}<code>${field}</code>`)}: on top of theirs, yours would count.</p>`}
    <p class="buttons">
      <button type="button" onClick=${() => rebased({ base: theirs.data, etag: theirs.etag, draft: theirs.data })}>Take theirs, drop mine</button>
      <button type="button" class="primary" onClick=${() => rebased({ base: theirs.data, etag: theirs.etag, draft: merged })}>Put mine on top of theirs</button>
    </p>
  </div>`;
}

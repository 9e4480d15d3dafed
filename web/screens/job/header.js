/** What one must know of a job first, and what one does with it. */

import { html, useRef, useState } from "../../vendor/preact.js";
import { linkOf } from "../../data/link.js";
import { refusal, useMe } from "../../data/me.js";
import { Menu } from "../../parts/menu.js";
import { runNow } from "../../parts/run_now.js";
import { Sentence } from "../../parts/sentence.js";
import { When } from "../../parts/time.js";
import { useKeys } from "../../shell/keys.js";
import { go, to, toJob } from "../../shell/route.js";
import { PauseDialog, RunDialog } from "./dialogs.js";
import { answers, badges, objectives } from "./facts.js";
import { killAll, liftQuarantine, remove, resume, setDisabled, skip, unskip } from "./verbs.js";

/** @param {{shown: import("./screen.js").Shown}} props */
export function Header({ shown }) {
  const { name, job, preview, reasons, live, parents, children } = shown;
  const scheduled = !("parents" in job);
  const [aims, runbook] = [objectives(job), linkOf(job.runbook)];
  const words = preview?.description ?? job.schedule;
  return html`<header class="job-head">
    <div class="title-row">
      <h1>${name}</h1>
      <span class="badges">
        ${badges(job, reasons, live, shown).map(
          (badge) => html`<span class="state ${badge.tone}" title=${badge.why}
            ><span class="glyph" aria-hidden="true">${badge.glyph}</span>${badge.word}${badge.until && html` until <${When} at=${badge.until} exactly />`}</span
          >`,
        )}
      </span>
      <${Actions} shown=${shown} />
    </div>
    ${job.description && html`<p class="description">${job.description}</p>`}
    <dl class="facts job-facts">
      <dt>Runs</dt>
      <dd>
        ${scheduled
          ? html`<${Sentence} text=${words} /> ${words !== job.schedule && html`<code class="soft">${job.schedule}</code>`}`
          : html`after ${parents.length ? html`<${Names} names=${parents} />` : "no parent at all"} <span class="soft">(${job.triggerRule ?? "all-succeeded"}${job.join === "due" ? ", for the same due instant" : ""})</span>`}
      </dd>
      <dt>Next</dt>
      <dd>
        ${job.nextDue
          ? html`<strong><${When} at=${job.nextDue} /></strong>, <${When} at=${job.nextDue} exactly />`
          : html`<span class="none">${scheduled ? "none" : "when its parents are ready"}</span>`}
        ${job.remaining !== undefined && html`<span class="soft"> ${job.remaining} left</span>`}
      </dd>
      ${children.length > 0 && html`<dt>Then</dt><dd><${Names} names=${children} /></dd>`}
      ${(job.owner || job.ownerName) && html`<dt>Owner</dt><dd>${job.ownerName && `${job.ownerName} `}${job.owner}</dd>`}
      ${aims && html`<dt>Should</dt><dd>${aims}</dd>`}
      ${job.runbook && html`<dt>Runbook</dt><dd>${runbook ? html`<a href=${runbook} rel="noreferrer noopener" target="_blank">${job.runbook}</a>` : job.runbook}</dd>`}
      ${job.labels && html`<dt>Labels</dt><dd>${Object.entries(job.labels).map(([label, value]) => html`<span class="badge">${label}: ${value}</span> `)}</dd>`}
    </dl>
    <${Why} reasons=${reasons} jobs=${[...parents, ...children]} />
  </header>`;
}

/** How many names are shown before one must ask for more. */
const NAMES = 8;

/** @param {{names: string[]}} props */
function Names({ names }) {
  const [all, setAll] = useState(false);
  const list = all ? names : names.slice(0, NAMES);
  return html`<span class="names">
    ${list.map((each) => html`<a href=${toJob(each)}>${each}</a> `)}
    ${list.length < names.length && html`<button class="quiet" onClick=${() => setAll(true)}>and ${names.length - list.length} more</button>`}
  </span>`;
}

/**
 * Why nothing comes of it, what it waits for, what is next: the sentences of `explain` that matter now.
 * @param {{reasons: {code: string, text: string}[], jobs: string[]}} props
 */
function Why({ reasons, jobs }) {
  const { held, waits, next, last } = answers(reasons);
  if (reasons.length === 0) return null;
  const list = (/** @type {string[]} */ sentences) => sentences.map((text) => html`<p><${Sentence} text=${text} jobs=${jobs} /></p>`);
  return html`<section class="why ${held.length ? "late" : ""}" aria-label="why it stands as it does">${list([...held, ...waits, ...next, ...last])}</section>`;
}

/** @param {{shown: import("./screen.js").Shown}} props */
function Actions({ shown }) {
  const { name, job, etag, reasons, skips, preview, parents, children } = shown;
  const me = useMe();
  const [open, setOpen] = useState(/** @type {"run" | "pause" | null} */ (null));
  const more = useRef(/** @type {(() => void) | null} */ (null));
  const [operator, editor] = [refusal(me, "operator"), refusal(me, "editor")];
  const quarantined = reasons.some(({ code }) => code === "quarantined");
  const isPaused = shown.paused !== null;
  const scheduled = !("parents" in job);
  const run = () => (operator ? undefined : void runNow(name));

  useKeys([
    { key: "r", does: "run this job now", run },
    { key: "e", does: "edit this job", run: () => go(to(["edit", name])) },
    { key: ".", does: "what can be done with this job", run: () => more.current?.() },
  ]);

  return html`<div class="buttons">
    <span class="split">
      <button class="primary" disabled=${operator !== null} title=${operator ?? "run it now (r)"} onClick=${run}>Run now</button>
      <${Menu}
        label="▾"
        title="run it otherwise"
        kind="primary"
        items=${[
          { label: "Now", run, refused: operator },
          { label: "With arguments…", hint: "arguments, variables, another due instant", run: () => setOpen("run"), refused: operator },
          { label: "For instants of the past…", hint: "a backfill", href: to(["backfill"], { job: name }) },
        ]}
      />
    </span>
    ${isPaused
      ? html`<button disabled=${operator !== null} title=${operator ?? undefined} onClick=${() => resume(name, false)}>Resume</button>`
      : html`<button disabled=${operator !== null} title=${operator ?? undefined} onClick=${() => setOpen("pause")}>Pause…</button>`}
    <a class="button" href=${to(["edit", name])}>Edit</a>
    <${Menu}
      label="More"
      title="more to do with ${name}"
      open=${more}
      items=${[
        isPaused && children.length > 0 && { label: "Resume it and what follows", run: () => resume(name, true), refused: operator },
        scheduled && { label: "Skip the next occurrence…", run: () => skip(name, null), refused: operator ?? (preview?.next.length === 0 ? "it has none" : null) },
        skips.length > 0 && { label: "Run the skipped one after all", hint: skips[0], run: () => unskip(name, skips[0]), refused: operator },
        quarantined && { label: "Lift the quarantine…", run: () => liftQuarantine(name), refused: operator },
        { label: "Backfill…", href: to(["backfill"], { job: name }) },
        { label: "Alerts", href: to(["alerts"], { job: name, state: "all" }) },
        { label: "Show in the graph", href: to(["graph"], { job: name }) },
        { label: "Duplicate…", href: to(["new"], { from: name }) },
        job.disabled ? { label: "Enable", run: () => setDisabled(name, false), refused: editor } : { label: "Disable", run: () => setDisabled(name, true), refused: editor },
        { label: "Kill its runs…", run: () => killAll(name), refused: operator, danger: true },
        { label: "Delete…", run: () => remove(name, etag, [...parents, ...children]), refused: editor, danger: true },
      ]}
    />
    ${open === "run" && html`<${RunDialog} job=${job} close=${() => setOpen(null)} />`}
    ${open === "pause" && html`<${PauseDialog} job=${name} below=${children.length} close=${() => setOpen(null)} />`}
  </div>`;
}

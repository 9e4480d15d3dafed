/** What is done with all marked jobs at once. */

import { html, useRef, useState } from "../../vendor/preact.js";
import { counted } from "../../data/format.js";
import { get, send } from "../../data/http.js";
import { refusal } from "../../data/me.js";
import { confirm } from "../../parts/dialog.js";
import { tell } from "../../shell/notices.js";
import { deleteJob, stopRuns } from "../job/verbs.js";

/** More are done from the command line, where they can be looked at in peace. */
const MARKED_MAX = 1_000;
const PAGE = 200;

/**
 * @typedef {object} Verb
 * @property {string} name
 * @property {import("../../data/me.js").Role} needs
 * @property {string} asks
 * @property {string} done
 * @property {boolean} [danger]
 * @property {(job: string, reason: string) => Promise<unknown>} act
 */

/** @type {Verb[]} */
const VERBS = [
  { name: "Run now", needs: "operator", asks: "Run them now?", done: "started", act: (job, reason) => send("POST", "runs", { job, reason }) },
  { name: "Pause", needs: "operator", asks: "Pause them?", done: "paused", act: (job, reason) => send("POST", "pause", { job, reason }) },
  { name: "Resume", needs: "operator", asks: "Resume them?", done: "resumed", act: (job, reason) => send("POST", "resume", { job, reason }) },
  { name: "Kill runs", needs: "operator", danger: true, asks: "Stop all their runs?", done: "asked to stop", act: stopRuns },
  { name: "Delete", needs: "editor", danger: true, asks: "Delete them?", done: "deleted", act: (job, reason) => deleteJob(job, reason) },
];

/**
 * @param {{marked: Set<string>, mark: (change: (marked: Set<string>) => Set<string>) => void,
 *   me: import("../../data/me.js").Me, asked: Record<string, any>, total: number}} props
 */
export function BulkBar({ marked, mark, me, asked, total }) {
  const [progress, setProgress] = useState(/** @type {string | null} */ (null));
  const stopped = useRef(false);
  if (!marked.size && progress === null) return null;

  const markAll = async () => {
    /** @type {Set<string>} */
    const names = new Set();
    for (let offset = 0; offset < Math.min(total, MARKED_MAX); offset += PAGE) {
      const answer = await get("overview", { ...asked, offset, limit: PAGE });
      for (const job of answer.jobs) names.add(job.name);
    }
    mark(() => names);
  };

  const act = async (/** @type {Verb} */ verb) => {
    const names = [...marked];
    const reason = await confirm({
      title: `${verb.asks}`,
      confirm: `${verb.name}: ${counted(names.length, "job")}`,
      danger: verb.danger,
      reason: true,
      type: verb.name === "Delete" ? String(names.length) : undefined,
      body: html`<p>${names.slice(0, 12).join(", ")}${names.length > 12 ? ` and ${names.length - 12} more` : ""}</p>`,
    });
    if (reason === null) return;
    /** @type {{name: string, message: string}[]} */
    const refused = [];
    /** @type {Set<string>} */
    const done = new Set();
    stopped.current = false;
    for (const [index, name] of names.entries()) {
      if (stopped.current) break;
      setProgress(`${index} of ${names.length}`);
      try {
        await verb.act(name, reason);
        done.add(name);
      } catch (error) {
        refused.push({ name, message: error instanceof Error ? error.message : String(error) });
      }
    }
    setProgress(null);
    const left = names.length - done.size - refused.length;
    if (done.size || left) tell({ tone: left ? "bad" : "good", text: `${counted(done.size, "job")} ${verb.done}${left ? `, ${left} left as they were` : ""}` });
    if (refused.length) tell({ tone: "bad", text: `${counted(refused.length, "job")} not ${verb.done}`, detail: refused.slice(0, 5).map((each) => `${each.name}: ${each.message}`).join("; ") });
    // What was not done stays marked, if it is still in sight.
    mark((now) => new Set([...now].filter((name) => !done.has(name))));
  };

  return html`<div class="bulk" role="toolbar" aria-label="with the marked jobs">
    <b>${counted(marked.size, "job")} marked</b>
    ${marked.size < total && html`<button class="quiet" onClick=${markAll}>Mark all ${total > MARKED_MAX ? `(the first ${MARKED_MAX})` : ""}</button>`}
    ${VERBS.map((verb) => {
      const may = refusal(me, verb.needs);
      return html`<button class=${verb.danger ? "danger" : ""} disabled=${may !== null || progress !== null} title=${may} onClick=${() => act(verb)}>${verb.name}</button>`;
    })}
    <button class="quiet" onClick=${() => mark(() => new Set())}>Unmark</button>
    ${progress && html`<span role="status">${progress}</span><button onClick=${() => (stopped.current = true)}>Stop</button>`}
  </div>`;
}

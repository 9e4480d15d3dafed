/** What a reader does with a job, and what they are told of it. */

import { html } from "../../vendor/preact.js";
import { get, getTagged, part, send } from "../../data/http.js";
import { body, definition, pathOf } from "../../data/definition.js";
import { counted } from "../../data/format.js";
import { confirm } from "../../parts/dialog.js";
import { Sentence } from "../../parts/sentence.js";
import { go, to } from "../../shell/route.js";
import { tell, tellProblem } from "../../shell/notices.js";

/** So many runs are counted before they are stopped. */
const COUNTED = 100;

/** @param {string} job */
export async function killAll(job) {
  try {
    const { runs, next } = await get("runs", { job, live: true, limit: COUNTED });
    const reason = await confirm({
      title: `Kill all runs of ${job}?`,
      body: html`<p>
        ${runs.length ? `This stops ${counted(runs.length, "run")}${next === null ? "" : " or more"}.` : "No run is known to be live now; one that begins meanwhile is stopped."}${" "}
        What waits to be begun is ended. The job itself goes on.
      </p>`,
      confirm: "Kill its runs",
      danger: true,
      reason: true,
    });
    if (reason === null) return;
    await stopRuns(job, reason);
    tell({ tone: "good", text: `the runs of ${job} are being stopped` });
  } catch (error) {
    tellProblem(`the runs of ${job} were not stopped`, error);
  }
}

/**
 * @param {string} job
 * @param {string} reason may be empty
 */
export function stopRuns(job, reason) {
  return send("DELETE", `task/kill/${part(job)}`, undefined, { params: { reason } });
}

/**
 * @param {string} job
 * @param {string} reason may be empty
 * @param {string} [etag] of what the reader looks at
 */
export function deleteJob(job, reason, etag) {
  return send("DELETE", `job/${part(job)}`, undefined, { params: { reason }, ifMatch: etag });
}

/**
 * @param {string} job
 * @param {Record<string, any>} more
 * @param {(error: unknown) => void} failed
 */
export async function pause(job, more, failed) {
  try {
    const { data } = await send("POST", "pause", { job, ...more });
    const others = data.jobs.length - 1;
    tell({
      tone: "good",
      text: `${job} is paused${others > 0 ? `, and so ${others === 1 ? "is" : "are"} ${counted(others, "job")} below it` : ""}`,
      action: { label: "Resume", run: () => void resume(job, more.subtree === true) },
    });
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
}

/**
 * @param {string} job
 * @param {boolean} subtree
 */
export async function resume(job, subtree) {
  try {
    const { data } = await send("POST", "resume", { job, subtree });
    tell({ tone: "good", text: data.jobs.length > 1 ? `${counted(data.jobs.length, "job")} go on` : `${job} goes on` });
  } catch (error) {
    tellProblem(`${job} was not resumed`, error);
  }
}

/**
 * @param {string} job
 * @param {string | null} dueAt null: the next that is not skipped yet
 */
export async function skip(job, dueAt) {
  const reason = await confirm({
    title: dueAt ? "Skip this occurrence?" : "Skip the next occurrence?",
    body: html`<p>${dueAt ? html`What is due <${Sentence} text=${dueAt} />` : "The next occurrence that is not skipped yet"} is recorded as skipped when its time comes. The others stay.</p>`,
    confirm: "Skip it",
    reason: true,
  });
  if (reason === null) return;
  try {
    const { data } = await send("POST", "skip", { job, dueAt, reason });
    tell({ tone: "good", text: `what is due ${data.dueAt} will be skipped`, action: { label: "Undo", run: () => void unskip(job, data.dueAt) } });
  } catch (error) {
    tellProblem("nothing is skipped", error);
  }
}

/**
 * @param {string} job
 * @param {string} dueAt
 */
export async function unskip(job, dueAt) {
  try {
    await send("POST", "unskip", { job, dueAt });
    tell({ tone: "good", text: `what is due ${dueAt} will be run after all` });
  } catch (error) {
    tellProblem("it stays skipped", error);
  }
}

/**
 * The whole definition is sent with what it must still be, so that no field of it is lost and no other change undone.
 * @param {string} job
 * @param {boolean} disabled
 * @param {boolean} [undoes] whether it takes back what was just done
 */
export async function setDisabled(job, disabled, undoes = false) {
  try {
    const { data, etag } = await getTagged(`job/${part(job)}`);
    const stored = definition(data);
    const { warnings } = await send("PUT", pathOf(stored), body({ ...stored, disabled }, stored), { ifMatch: etag });
    tell({
      tone: "good",
      text: `${job} is ${disabled ? "disabled" : "enabled"}`,
      detail: warnings.join("; ") || null,
      action: undoes ? undefined : { label: "Undo", run: () => void setDisabled(job, !disabled, true) },
    });
  } catch (error) {
    tellProblem(`${job} was not ${disabled ? "disabled" : "enabled"}`, error);
  }
}

/** @param {string} job */
export async function liftQuarantine(job) {
  const reason = await confirm({
    title: `Decide ${job} again?`,
    body: html`<p>It is left alone because deciding it went wrong. If that has not been mended, it will be left alone again.</p>`,
    confirm: "Lift the quarantine",
    reason: true,
  });
  if (reason === null) return;
  try {
    await send("POST", "quarantine/lift", { job, reason });
    tell({ tone: "good", text: `${job} is decided again` });
  } catch (error) {
    tellProblem("the quarantine was not lifted", error);
  }
}

/**
 * @param {string} job
 * @param {string} etag of what the reader looks at
 * @param {string[]} related names of jobs that sentences may link
 */
export async function remove(job, etag, related) {
  try {
    const { data } = await send("DELETE", `job/${part(job)}`, undefined, { params: { dryRun: true } });
    const reason = await confirm({
      title: `Delete ${job}?`,
      body: html`<p>Its runs are stopped. Its last definition is kept: the page of its name can bring it back.</p>
        ${data.consequences.length > 0 &&
        html`<ul class="consequences">${data.consequences.map((/** @type {string} */ text) => html`<li><${Sentence} text=${text} jobs=${related} /></li>`)}</ul>`}`,
      confirm: "Delete the job",
      danger: true,
      type: job,
      reason: true,
    });
    if (reason === null) return;
    const { warnings } = await deleteJob(job, reason, etag);
    tell({ tone: "good", text: `${job} is deleted`, detail: warnings.join("; ") || null });
    go(to(["jobs"]));
  } catch (error) {
    tellProblem(`${job} was not deleted`, error);
  }
}

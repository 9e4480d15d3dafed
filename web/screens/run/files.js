/** What an attempt left in its directory on an agent of a cluster, beside what it wrote to its streams. */

import { html, useState } from "../../vendor/preact.js";
import { address, ask, part } from "../../data/http.js";
import { bytes } from "../../data/format.js";
import { about, useGet } from "../../data/query.js";
import { download } from "../../parts/download.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { When } from "../../parts/time.js";
import { tellProblem } from "../../shell/notices.js";
import { choose, to } from "../../shell/route.js";
import { chosenAttempt, nameOf, upwards } from "./paths.js";

/** @param {{run: {id: string, job: string, attempts: {attempt: number, hostname: string | null, agent: string}[]}, route: import("../../shell/route.js").Route}} props */
export function Files({ run, route }) {
  const attempt = chosenAttempt(run.attempts, route.params.attempt);
  const path = route.params.path ?? "";
  const asked = attempt && `run/${part(run.id)}/files`;
  const concerns = about(["run"], run.job);
  const { data, problem, reload } = useGet(asked, { attempt: attempt?.attempt, path }, { on: (event) => event.run === run.id && concerns(event) });
  if (!attempt) return html`<${Empty} title="It has not been started yet">Its files are listed here as soon as it is.<//>`;
  const here = (/** @type {string} */ directory) => to(route.path, { ...route.params, path: directory || null });
  return html`<section class="files" aria-label="files">
    <div class="files-head">
      <nav aria-label="directory">
        <a href=${here("")}>${attempt.hostname ?? attempt.agent}</a>${upwards(path).map(({ name, directory }) => html` / <a href=${here(directory)}>${name}</a>`)}
      </nav>
      ${run.attempts.length > 1 &&
      html`<label class="choice-of"
        >attempt
        <select value=${String(attempt.attempt)} onChange=${(/** @type {any} */ event) => choose({ attempt: event.target.value, path: null })}>
          ${run.attempts.map((/** @type {any} */ each) => html`<option value=${String(each.attempt)} selected=${each === attempt}>${each.attempt}</option>`)}
        </select></label
      >`}
      <button class="quiet" onClick=${reload}>Look again</button>
    </div>
    ${problem && html`<${ProblemBox} problem=${problem} retry=${reload} />`}
    ${!problem && !data && html`<${Loading} lines=${4} />`}
    ${!problem && data?.files.length === 0 && html`<${Empty} title="There is nothing in it" />`}
    ${!problem && data?.files.length > 0 && html`<${Listing} run=${run} attempt=${attempt.attempt} files=${data.files} here=${here} />`}
  </section>`;
}

/** @param {{run: any, attempt: number, files: any[], here: (directory: string) => string}} props */
function Listing({ run, attempt, files, here }) {
  const [busy, setBusy] = useState("");
  const fetched = async (/** @type {string} */ path) => {
    setBusy(path);
    try {
      const response = await ask(address(`run/${part(run.id)}/file`, { attempt, path }));
      download(nameOf(path), await response.blob());
    } catch (error) {
      tellProblem(`${nameOf(path)} cannot be had`, error);
    }
    setBusy("");
  };
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label="files in it">
    <table class="listing">
      <thead><tr><th>Name</th><th class="number">Size</th><th>Written</th><th>Owner</th><th>Mode</th></tr></thead>
      <tbody>
        ${files.map(
          (file) => html`<tr>
            <td class="name">
              ${file.directory
                ? html`<a href=${here(file.path)}>${nameOf(file.path)}/</a>`
                : html`<button class="quiet link" disabled=${busy !== ""} title="download" onClick=${() => void fetched(file.path)}>${busy === file.path ? "…" : "↓"} ${nameOf(file.path)}</button>`}
            </td>
            <td class="number">${file.directory ? "" : bytes(file.size)}</td>
            <td><${When} at=${file.modifiedAt} exactly=${true} /></td>
            <td>${file.owner}</td>
            <td><code>${file.mode}</code></td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

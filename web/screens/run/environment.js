/** What a run was given: its own arguments and variables, and those of its job's definition. */

import { html } from "../../vendor/preact.js";
import { part } from "../../data/http.js";
import { useGet } from "../../data/query.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { When } from "../../parts/time.js";
import { toJob } from "../../shell/route.js";
import { revisionOf } from "./revision.js";

/**
 * @typedef {{name: string, value: string, secret?: boolean}} Variable
 */

/** @param {{run: any, definition: any}} props */
export function Environment({ run, definition }) {
  const { data: listed, problem } = useGet(`revisions/${part(run.job)}`, { limit: 100 });
  const revision = listed ? revisionOf(run, listed.revisions) : null;
  const name = revision ? `${revision.incarnation}.${revision.revision}` : null;
  const { data: then, problem: lost } = useGet(name && `revision/${part(run.job)}/${name}`);
  if (!listed && !problem) return html`<${Loading} />`;
  const shown = then ?? definition;

  return html`<div class="cards">
    <section class="card" aria-labelledby="own">
      <h2 id="own">Of this run alone</h2>
      <dl class="facts">
        <dt>Arguments</dt>
        <dd>${run.arguments === null ? html`<span class="none">none: those of the job</span>` : html`<pre>${run.arguments || "(none at all)"}</pre>`}</dd>
      </dl>
      <${Variables} variables=${run.environment} none="no variables were given for it" />
    </section>
    <section class="card" aria-labelledby="definition">
      <h2 id="definition">Of its job</h2>
      ${problem && !definition && html`<${ProblemBox} problem=${problem} />`}
      <p class="hint">
        ${name && revision && then
          ? html`As defined when the run was recorded: <a href=${toJob(run.job, { tab: "revisions", to: name })}>revision ${name}</a>, stored <${When} at=${revision.acceptedAt} />.${revision.present ? "" : " The job is defined otherwise now."}`
          : shown
            ? html`As defined now: ${lost ? lost.message : "the definition of when it was recorded is no longer kept"}, so what it was started with may have been another.`
            : "The job is no longer there."}
      </p>
      ${shown &&
      html`<dl class="facts">
          <dt>Command</dt>
          <dd><pre>${shown.command}</pre></dd>
          <dt>Read by</dt>
          <dd>${shown.shell === false ? "nobody: the program is started with its arguments" : "the shell"}</dd>
          <dt>Arguments</dt>
          <dd>${shown.arguments?.length ? html`<pre>${shown.arguments.join("\n")}</pre>` : html`<span class="none">none</span>`}</dd>
          <dt>Runs as</dt>
          <dd>${shown.runAsUser || html`<span class="none">whoever the server runs as</span>`}</dd>
          <dt>Needs</dt>
          <dd>${shown.cpus} CPUs, ${shown.mem} MiB memory, ${shown.disk} MiB disk</dd>
        </dl>
        <${Variables} variables=${shown.environmentVariables ?? []} over=${run.environment} none="no variables" />`}
    </section>
  </div>`;
}

/** @param {{variables: Variable[], over?: Variable[], none: string}} props `over` are those that take their place */
function Variables({ variables, over = [], none }) {
  if (!variables.length) return html`<p class="none">${none}</p>`;
  const replaced = new Set(over.map((variable) => variable.name));
  return html`<div class="scroll-x">
    <table class="variables">
      <thead>
        <tr><th>Variable</th><th>Value</th></tr>
      </thead>
      <tbody>
        ${variables.map(
          ({ name, value, secret }) => html`<tr class=${replaced.has(name) ? "replaced" : ""}>
            <th scope="row"><code>${name}</code></th>
            <td>
              ${secret ? html`<code aria-label="secret">***</code> <span class="badge">secret</span>` : html`<code>${value}</code>`}
              ${replaced.has(name) && html` <span class="badge">replaced for this run</span>`}
            </td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

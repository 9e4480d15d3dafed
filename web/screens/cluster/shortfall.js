/** What capacity is missing for what waits. */

import { html } from "../../vendor/preact.js";
import { count, counted } from "../../data/format.js";
import { about, useGet } from "../../data/query.js";
import { ProblemBox } from "../../parts/problem.js";
import { to, toJob } from "../../shell/route.js";
import { constraintText, listed } from "./words.js";

/** Wants of which each has a row. */
const SHOWN = 10;

export function Shortfall() {
  const { data, problem, reload } = useGet("shortfall", {}, { on: about(["launcher", "run", "job", "pause"]), every: 15_000 });
  if (problem && !data) return html`<${ProblemBox} problem=${problem} retry=${reload} />`;
  if (!data) return null;
  const waiting = html`<a href=${to(["history"], { live: true })}>${counted(data.waiting, "run")}</a>`;
  if (data.runs === 0) {
    return html`<section class="card shortfall" aria-label="what is missing">
      <h2>What is missing</h2>
      <p><span class="state good"><span class="glyph" aria-hidden="true">✓</span> nothing</span> ${waiting} ${data.waiting === 1 ? "waits" : "wait"} for room${data.waiting > 0 ? ", and there is a place for each" : ""}.</p>
    </section>`;
  }
  const more = data.wants.length - SHOWN;
  return html`<section class="card shortfall" aria-label="what is missing">
    <h2>What is missing</h2>
    <p><strong>${count(data.runs)}</strong> of the ${waiting} that ${data.waiting === 1 ? "waits" : "wait"} ${data.runs === 1 ? "finds" : "find"} no place on ${counted(data.agents, "known agent")}. ${data.runs === 1 ? "It wants" : "Together they want"} ${listed(data.missing)} more.</p>
    <div class="scroll-x" tabindex="0" role="region" aria-label="by what is wanted">
      <table>
        <thead><tr><th>Runs</th><th>Each wants</th><th>Where</th><th>Jobs</th><th>Why not</th></tr></thead>
        <tbody>
          ${data.wants.slice(0, SHOWN).map((/** @type {any} */ want) => html`<tr>
            <td class="number">${count(want.runs)}</td>
            <td>${listed(want.resources)}</td>
            <td>${want.constraints.length ? want.constraints.map((/** @type {string[]} */ each) => html`<code>${constraintText(each)}</code> `) : html`<span class="none">anywhere</span>`}</td>
            <td>${want.jobs.map((/** @type {string} */ job) => html`<a href=${toJob(job)}>${job}</a> `)}</td>
            <td>${want.text}</td>
          </tr>`)}
        </tbody>
      </table>
    </div>
    ${more > 0 && html`<p class="hint">And ${counted(more, "other want")}; <code>chronode shortfall</code> lists all of them.</p>`}
  </section>`;
}

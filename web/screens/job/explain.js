/** Why a job stands as it does, in sentences by what one asks. */

import { html } from "../../vendor/preact.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { answers } from "./facts.js";

const QUESTIONS = /** @type {const} */ ([
  ["held", "Why nothing comes of it"],
  ["waits", "What it waits for, and where its runs stand"],
  ["next", "What comes next"],
  ["last", "What was"],
]);

/** @param {{shown: import("./screen.js").Shown, problem: Error | null}} props */
export function Explain({ shown, problem }) {
  const found = answers(shown.reasons);
  const jobs = [...shown.parents, ...shown.children];
  return html`<section class="explain-tab">
    <${ProblemBox} problem=${problem} />
    ${shown.reasons.length === 0 && !problem && html`<${Loading} />`}
    ${QUESTIONS.map(
      ([key, title]) =>
        found[key].length > 0 &&
        html`<div class="card">
          <h2>${title}</h2>
          <ul>
            ${found[key].map((text) => html`<li><${Sentence} text=${text} jobs=${jobs} /></li>`)}
          </ul>
        </div>`,
    )}
    <p class="hint">
      The sentences are made now, of what the decisions themselves look at. The same on the command line: <code>chronode explain ${shown.name}</code>
    </p>
  </section>`;
}

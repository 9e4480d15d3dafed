/** After which jobs a job runs. They are searched for in the server, which alone knows them all. */

import { html } from "../../vendor/preact.js";
import { Sentence } from "../../parts/sentence.js";
import { Choose } from "../../parts/field.js";
import { SearchJobs } from "../../parts/search_jobs.js";
import { toJob } from "../../shell/route.js";

/** @type {[string, string][]} */
const RULES = [["", "every parent has succeeded anew"], ["all-done", "every parent is over, however it ended"], ["any-succeeded", "a parent has succeeded"], ["any-failed", "a parent has failed for good"]];
/** @type {[string, string][]} */
const JOINS = [["", "whatever they did since the last time"], ["due", "only what they did for the same due instant"]];

/** @param {{given: import("./form.js").Given, self: string | null}} props */
export function Parents({ given: { draft, change, fault, of }, self }) {
  /** @type {string[]} */
  const parents = Array.isArray(draft.parents) ? draft.parents : [];
  return html`
    <div class="field ${fault("parents") ? "invalid" : ""}" data-field="parents">
      <${SearchJobs} label="Add a parent" add=${(/** @type {string} */ name) => change({ parents: [...parents, name] })} without=${[...parents, ...(self === null ? [] : [self])]} />
      <ul class="chosen-jobs">
        ${parents.map(
          (name) => html`<li key=${name}>
            <a href=${toJob(name)} target="_blank" rel="noopener">${name}</a>
            <button class="quiet" type="button" aria-label="remove ${name}" onClick=${() => change({ parents: parents.filter((each) => each !== name) })}>×</button>
          </li>`,
        )}
      </ul>
      ${fault("parents") && html`<p class="wrong" role="alert"><${Sentence} text=${fault("parents")} /></p>`}
    </div>
    <div class="fields">
      <${Choose} label="It runs when" options=${RULES} ...${of("triggerRule", { value: draft.triggerRule === "all-succeeded" ? "" : draft.triggerRule })} />
      <${Choose} label="What belongs together" options=${JOINS} ...${of("join", { value: draft.join === "round" ? "" : draft.join })} />
    </div>
  `;
}

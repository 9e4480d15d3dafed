/** Fields in which one gives an instant: by the clock of a zone that is said beside it. */

import { html, useContext, useState } from "../vendor/preact.js";
import { exact } from "../data/format.js";
import { fromLocal, toLocal } from "../data/local.js";
import { JobZone } from "./time.js";

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.value an instant of the API, or empty
 * @param {(value: string) => void} props.set
 * @param {string} [props.hint]
 * @param {boolean} [props.required]
 * @param {string | null} [props.problem]
 */
export function Instant({ label, value, set, hint, required = false, problem }) {
  const ofJob = useContext(JobZone);
  const [zone, setZone] = useState(ofJob);
  const [text, setText] = useState(value ? toLocal(Date.parse(value), ofJob) : "");
  const give = (/** @type {string} */ typed, /** @type {string} */ by) => {
    const at = fromLocal(typed, by);
    set(at === null ? "" : new Date(at).toISOString());
  };
  const zones = [...new Set([ofJob, "", "UTC"])];
  return html`<div class="field">
    <label
      >${label}
      <span class="instant"
        ><input
          type="datetime-local"
          step="1"
          value=${text}
          required=${required}
          aria-invalid=${problem ? "true" : undefined}
          onInput=${(/** @type {any} */ event) => {
            setText(event.target.value);
            give(event.target.value, zone);
          }} /><select
          aria-label="by the clock of"
          value=${zone}
          onChange=${(/** @type {any} */ event) => {
            setZone(event.target.value);
            give(text, event.target.value);
          }}
        >
          ${zones.map((each) => html`<option value=${each} selected=${each === zone}>${each || "my time"}</option>`)}
        </select></span
      ></label
    >
    ${problem && html`<p class="wrong">${problem}</p>`}
    ${(hint || value) && html`<p class="hint">${value && zone !== "UTC" ? `${exact(Date.parse(value), "UTC")} UTC. ` : ""}${hint}</p>`}
  </div>`;
}

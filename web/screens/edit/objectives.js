/** By when a job should be done, and what those who look after it should know. */

import { html, useState } from "../../vendor/preact.js";
import { same } from "../../data/definition.js";
import { List, Text } from "../../parts/field.js";
import { Fold, periodHint } from "./fold.js";
import { labelsOf, pairsOf, twice } from "./values.js";

/** @type {[string, string, string, string][]} */
const TIMES = [
  ["startBy", "Should start by", "06:30 or PT10M", "a time of its zone, or a period after it is due"],
  ["finishBy", "Should succeed by", "06:30 or PT2H", "a time of its zone, or a period after it is due"],
  ["maxLateness", "May start late by", "PT10M", "after it was due"],
  ["expectedDuration", "Takes at most", "PT1H", "an attempt, as a rule"],
];
const FIELDS = [...TIMES.map(([field]) => field), "runbook", "labels"];

/** @param {{given: import("./form.js").Given}} props */
export function Objectives({ given }) {
  const { draft, fault, of } = given;
  return html`<${Fold} title="Objectives, runbook and labels" says=${FIELDS.some((field) => field in draft)} wrong=${FIELDS.some((field) => fault(field) !== null)}>
    <div class="fields">${TIMES.map(([field, label, placeholder, hint]) => html`<${Text} label=${label} mono ...${of(field)} placeholder=${placeholder} hint=${periodHint(draft[field]) || hint} />`)}</div>
    <${Text} label="Runbook" ...${of("runbook")} placeholder="https://wiki.example.org/billing" hint="Where is written what to do when it fails: an address, or words. Alerts carry it." />
    <${Labels} given=${given} />
  <//>`;
}

/** @param {{given: import("./form.js").Given}} props */
function Labels({ given: { draft, change, fault } }) {
  const [typed, setTyped] = useState(pairsOf(draft.labels));
  // What is being typed need not have a name yet; it counts while it says what the draft does.
  const rows = same(labelsOf(typed), draft.labels) ? typed : pairsOf(draft.labels);
  const double = twice(rows);
  return html`<${List}
    label="Labels"
    name="labels"
    items=${rows}
    set=${(/** @type {any[]} */ list) => {
      setTyped(list);
      change({ labels: labelsOf(list) });
    }}
    problem=${fault("labels") ?? (double !== undefined ? `two labels are called ${double}: the last one counts` : null)}
    make=${() => ({ name: "", value: "" })}
    add="Add a label"
    row=${(/** @type {any} */ item, /** @type {any} */ set, /** @type {number} */ index) => html`
      <input aria-label="name of label ${index + 1}" placeholder="team" value=${item.name} onInput=${(/** @type {any} */ e) => set({ ...item, name: e.target.value })} />
      <input class="wide" aria-label="value of label ${index + 1}" placeholder="data" value=${item.value} onInput=${(/** @type {any} */ e) => set({ ...item, value: e.target.value })} />
    `}
  />`;
}

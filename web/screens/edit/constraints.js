/** On which agents a job may run. */

import { html } from "../../vendor/preact.js";
import { List } from "../../parts/field.js";
import { OPERATORS, constraintOf, operatorOf } from "./values.js";

/** @param {{given: import("./form.js").Given}} props */
export function Constraints({ given: { draft, change, fault } }) {
  return html`<${List}
    label="Where it may run"
    name="constraints"
    items=${draft.constraints ?? []}
    set=${(/** @type {any} */ list) => change({ constraints: list })}
    problem=${fault("constraints")}
    hint="LIKE and UNLIKE take a regular expression of the attribute’s value. UNIQUE wants another value for each live run of the job, CLUSTER the same for all; of CLUSTER the value may be named."
    make=${() => ["", "EQUALS", ""]}
    add="Add a constraint"
    row=${(/** @type {string[]} */ item, /** @type {(item: string[]) => void} */ set, /** @type {number} */ index) => {
      const [attribute, operator, value] = item;
      const { value: wants } = operatorOf(operator);
      const put = (/** @type {[string, string, string]} */ changed) => set(constraintOf(...changed));
      return html`
        <input class="mono" aria-label="attribute ${index + 1}" placeholder="attribute" value=${attribute} onInput=${(/** @type {any} */ e) => put([e.target.value, operator, value])} />
        <select aria-label="operator ${index + 1}" value=${operator} onChange=${(/** @type {any} */ e) => put([attribute, e.target.value, value])}>
          ${[...new Set([...OPERATORS.map(({ word }) => word), operator])].map((each) => html`<option value=${each} selected=${each === operator}>${each}</option>`)}
        </select>
        ${wants !== "none" && html`<input class="mono" aria-label="value ${index + 1}" placeholder=${wants === "optional" ? "any one value" : "value"} value=${value ?? ""} onInput=${(/** @type {any} */ e) => put([attribute, operator, e.target.value])} />`}
      `;
    }}
  />`;
}

/** What one definition says differently from another, field by field. */

import { html } from "../vendor/preact.js";
import { shown } from "../data/diff.js";

/**
 * @param {{list: import("../data/diff.js").Change[], old?: string, now?: string}} props what the two sides are called
 */
export function Changes({ list, old = "before", now = "after" }) {
  if (list.length === 0) return html`<p class="hint">Nothing is said differently.</p>`;
  return html`<div class="scroll-x">
    <table class="changes">
      <thead>
        <tr>
          <th scope="col">field</th>
          <th scope="col">${old}</th>
          <th scope="col">${now}</th>
        </tr>
      </thead>
      <tbody>
        ${list.map(
          (change) => html`<tr key=${change.field}>
            <th scope="row"><code>${change.field}</code>${change.secret && html` <span class="badge">secret</span>`}</th>
            <td><${Side} value=${change.old} sign="−" tone="bad" /></td>
            <td><${Side} value=${change.new} sign="+" tone="good" /></td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {{value: any, sign: string, tone: string}} props */
function Side({ value, sign, tone }) {
  if (value === null || value === undefined) return html`<span class="none">not said</span>`;
  const text = shown(value);
  return html`<pre class="side ${tone}"><span aria-hidden="true">${sign} </span>${text === "" ? html`<i>empty</i>` : text}</pre>`;
}

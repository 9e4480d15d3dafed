/** Parts of the form that are opened when they are needed. */

import { html, useState } from "../../vendor/preact.js";
import { periodInWords } from "../../data/period.js";

/** @param {any} text */
export const periodHint = (text) => (typeof text === "string" && text ? (periodInWords(text) ?? "") : "");

/**
 * A part of the form that is opened where it says something, or where something in it is wrong.
 * @param {{title: string, says: boolean, wrong: boolean, children?: any}} props
 */
export function Fold({ title, says, wrong, children }) {
  const [open, setOpen] = useState(says);
  return html`<details class="card fold" open=${open || wrong} onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary><h2>${title}</h2></summary>
    ${children}
  </details>`;
}

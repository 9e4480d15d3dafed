/** Which source a job comes from, and what becomes of a change by hand. */

import { html } from "../../vendor/preact.js";
import { told } from "../../data/origin.js";

/** @param {{origin: any}} props */
export function Origin({ origin }) {
  const says = told(origin);
  if (!says) return null;
  if (says.tone === "quiet") return html`<p class="soft">${says.head} ${says.rest}</p>`;
  return html`<section class="why ${says.tone}" aria-label="where it comes from"><p><b>${says.head}</b> ${says.rest}</p></section>`;
}

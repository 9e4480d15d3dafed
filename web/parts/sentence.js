/** A sentence of the server, with its instants in the reader's time and links to the runs and jobs it names. */

import { html } from "../vendor/preact.js";
import { pieces } from "../data/sentence.js";
import { toJob, toRun } from "../shell/route.js";
import { When } from "./time.js";

/**
 * @param {{text: string, jobs?: string[]}} props `jobs` are names that are known to be jobs
 */
export function Sentence({ text, jobs = [] }) {
  return html`<span class="sentence"
    >${pieces(text).map((piece) => {
      if (piece.kind === "instant") return html`<${When} at=${piece.text} exactly />`;
      if (piece.kind === "run") return html`<a class="mono" href=${toRun(piece.text)}>${piece.text}</a>`;
      if (piece.kind === "code") {
        return jobs.includes(piece.text) ? html`<a href=${toJob(piece.text)}>${piece.text}</a>` : html`<code>${piece.text}</code>`;
      }
      return piece.text;
    })}</span
  >`;
}

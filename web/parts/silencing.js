/** For how long nobody is to be told of something, and why. */

import { html, useState } from "../vendor/preact.js";
import { Dialog } from "./dialog.js";
import { Text } from "./field.js";
import { Instant } from "./instant.js";
import { ProblemBox } from "./problem.js";

const LENGTHS = { PT1H: "1 hour", PT8H: "8 hours", "": "until…" };

/**
 * @param {{title: string, close: () => void, put: (body: {for?: string, until?: string, reason: string}) => Promise<void>}} props
 *   `put` asks the server; what that refuses is told in the dialog
 */
export function Silencing({ title, close, put }) {
  const [length, setLength] = useState("PT1H");
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const silence = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await put({ ...(length ? { for: length } : { until }), reason: reason.trim() });
      close();
    } catch (error) {
      setProblem(/** @type {Error} */ (error));
    }
  };
  return html`<${Dialog} title="Silence: ${title}" close=${close}>
    <form onSubmit=${silence}>
      <p>Nobody is told of it until then. Alerts are kept all the same.</p>
      <${ProblemBox} problem=${problem} />
      <span class="kinds" role="group" aria-label="for how long">
        ${Object.entries(LENGTHS).map(([each, text]) => html`<button type="button" aria-pressed=${each === length} onClick=${() => setLength(each)}>${text}</button>`)}
      </span>
      ${!length && html`<${Instant} label="Until" value=${until} set=${setUntil} required=${true} />`}
      <${Text} label="Reason" value=${reason} set=${setReason} maxlength=${1000} placeholder="told to your colleagues, optional" />
      <p class="buttons">
        <button type="button" onClick=${close}>Cancel</button>
        <button class="primary" disabled=${!length && !until}>Silence</button>
      </p>
    </form>
  <//>`;
}

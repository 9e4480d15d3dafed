/** What went wrong, with what to do about it; and lists that have nothing yet. */

import { html, useState } from "../vendor/preact.js";

/**
 * @param {{problem: Error | null, retry?: () => void}} props
 */
export function ProblemBox({ problem, retry }) {
  if (!problem) return null;
  const { remedy, problems } = /** @type {import("../data/http.js").Problem} */ (problem);
  return html`<div class="problem" role="alert">
    <p>${problem.message}</p>
    ${problems?.length > 1 && html`<ul>${problems.map((each) => html`<li>${each.message}</li>`)}</ul>`}
    ${remedy && html`<p class="hint">${remedy}</p>`}
    ${retry && html`<button onClick=${retry}>Try again</button>`}
  </div>`;
}

/**
 * @param {{title: string, children?: any, command?: string}} props `command` can be copied
 */
export function Empty({ title, children, command }) {
  return html`<div class="empty">
    <p class="title">${title}</p>
    ${children && html`<p>${children}</p>`} ${command && html`<${Command} text=${command} />`}
  </div>`;
}

/** @param {{text: string}} props */
export function Command({ text }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return html`<div class="command">
    <pre><code>${text}</code></pre>
    <button class="quiet" onClick=${copy}>${copied ? "copied" : "copy"}</button>
  </div>`;
}

/** @param {{lines?: number}} props */
export function Loading({ lines = 4 }) {
  return html`<div class="loading" aria-busy="true" aria-label="loading">
    ${Array.from({ length: lines }, () => html`<span></span>`)}
  </div>`;
}

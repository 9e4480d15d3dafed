/** What a job says, to be read and copied. */

import { html, useState } from "../../vendor/preact.js";
import { dump } from "../../vendor/yaml.js";

/** @param {{job: Record<string, any>, etag: string}} props */
export function Definition({ job, etag }) {
  const texts = [
    { label: "JSON", text: JSON.stringify(job, null, 2), hint: "the body of a POST" },
    { label: "YAML", text: dump(job, { lineWidth: 120 }), hint: "as in a job file" },
  ];
  return html`<section class="cards">
    ${texts.map((each) => html`<${Copied} ...${each} />`)}
    <p class="hint tag">The tag of this definition is <code>${etag}</code>: send it as <code>If-Match</code> and nobody’s change is undone. Values of secrets are <code>***</code> and stay when sent back.</p>
  </section>`;
}

/** @param {{label: string, text: string, hint: string}} props */
function Copied({ label, text, hint }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return html`<div class="card definition">
    <div class="title-row">
      <h2>${label} <small>${hint}</small></h2>
      <p class="buttons"><button onClick=${copy}>${copied ? "Copied" : "Copy"}</button></p>
    </div>
    <pre tabindex="0"><code>${text}</code></pre>
  </div>`;
}

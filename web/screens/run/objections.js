/** Why a run that waits fits on no agent, agent by agent. */

import { html } from "../../vendor/preact.js";
import { counted } from "../../data/format.js";
import { to } from "../../shell/route.js";
import { Sentence } from "./header.js";

/** @param {{explained: any}} props */
export function Objections({ explained }) {
  if (!explained?.agents?.length) return null;
  const more = explained.agentsLeftOut;
  return html`<section class="objections" aria-label="why it fits on no agent">
    <h2>Why it fits on no agent</h2>
    <div class="scroll-x listed" tabindex="0" role="region" aria-label="agents">
      <table>
        <thead><tr><th>Host</th><th>Why not</th><th>Agent</th></tr></thead>
        <tbody>
          ${explained.agents.map((/** @type {any} */ each) => html`<tr>
            <td class="name">${each.hostname}</td>
            <td class="said"><${Sentence} text=${each.reason} /></td>
            <td><a class="mono" href=${to(["cluster"], { agents: each.agent })}>${each.agent}</a></td>
          </tr>`)}
        </tbody>
      </table>
    </div>
    ${more > 0 && html`<p class="hint">It fits on none of ${counted(more, "further agent")} either.</p>`}
    <p class="hint">By what each agent offered last. <a href=${to(["cluster"])}>The cluster</a> shows what is left and what is missing.</p>
  </section>`;
}

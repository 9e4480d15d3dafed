/** The channels: where each goes, whether messages arrive there, and a test of it. */

import { html, useState } from "../../vendor/preact.js";
import { counted } from "../../data/format.js";
import { send } from "../../data/http.js";
import { refusal } from "../../data/me.js";
import { Empty, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { When } from "../../parts/time.js";
import { to } from "../../shell/route.js";
import { addressText } from "./words.js";

/** @param {{me: import("../../data/me.js").Me, channels: import("../../data/query.js").Answer<any>}} props */
export function Channels({ me, channels: { data, problem, reload } }) {
  if (!data) return html`<${ProblemBox} problem=${problem} retry=${reload} />`;
  if (data.channels.length === 0) {
    return html`<${Empty} title="No channel is configured" command="chronode serve --mail_server smtp.example.org:587 --mail_from chronode@example.org">
        Nobody is told when a job fails. With a mail server, its owners are:
      <//>
      <${Empty} title="Then see whether it arrives" command="chronode notify test">
        Slack, Mattermost, webhooks and commands, and who is told of what, are channels and routes of the configuration file.
      <//>`;
  }
  return html`<div class="cards">${data.channels.map((/** @type {any} */ channel) => html`<${Channel} key=${channel.name} channel=${channel} me=${me} tested=${reload} />`)}</div>`;
}

/** @param {{channel: any, me: import("../../data/me.js").Me, tested: () => void}} props */
function Channel({ channel: { name, kind, to: where, problem, failingSince, due }, me, tested }) {
  const [recipient, setRecipient] = useState("");
  const [busy, setBusy] = useState(false);
  const [came, setCame] = useState(/** @type {{results?: any[], refused?: Error} | null} */ (null));
  const may = refusal(me, "admin");
  const test = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setCame(null);
    try {
      setCame((await send("POST", "channels/test", { channel: name, recipient: recipient.trim() || undefined })).data);
    } catch (error) {
      setCame({ refused: /** @type {Error} */ (error) });
    }
    setBusy(false);
    tested();
  };
  const [tone, glyph, word] = problem ? ["bad", "✕", "does not arrive"] : ["good", "✓", "no problem"];
  return html`<section class="card channel" aria-label="channel ${name}">
    <div class="card-head"><h2>${name}</h2><span class="state ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span>${word}</span></div>
    ${problem && html`<p class="problem"><${Sentence} text=${problem} /></p>`}
    <dl class="facts">
      <dt>kind</dt><dd>${kind}</dd>
      <dt>goes to</dt><dd>${where}</dd>
      ${failingSince && html`<dt>failing since</dt><dd><${When} at=${failingSince} exactly=${true} /> <small><${When} at=${failingSince} /></small></dd>`}
      <dt>waiting</dt><dd><a href=${to(["alerts"], { tab: "outbox", channel: name, delivery: "pending" })}>${counted(due, "notification")}</a></dd>
    </dl>
    <form class="test" onSubmit=${test}>
      ${kind === "mail" && html`<input type="text" inputmode="email" aria-label="recipient of the test" placeholder="recipient" value=${recipient} disabled=${may !== null}
        onInput=${(/** @type {any} */ event) => setRecipient(event.target.value)} />`}
      <button disabled=${busy || may !== null} title=${may}>${busy ? "Sending…" : "Send a test"}</button>
    </form>
    <div role="status">
      ${came?.refused && html`<${ProblemBox} problem=${came.refused} />`}
      ${came?.results?.map((each) => html`<p class="came ${each.arrived ? "good" : "bad"}"><b>${each.arrived ? "✓ arrived" : "✕ not arrived"}</b> ${addressText(each)}: <${Sentence} text=${each.arrived ? each.said : each.problem} /></p>`)}
    </div>
  </section>`;
}

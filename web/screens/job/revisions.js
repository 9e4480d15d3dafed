/** What a job said before, what changed, and the way back. */

import { html, useState } from "../../vendor/preact.js";
import { getTagged, part, send } from "../../data/http.js";
import { refusal, useMe } from "../../data/me.js";
import { about, useGet } from "../../data/query.js";
import { Changes } from "../../parts/changes.js";
import { confirm } from "../../parts/dialog.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { When } from "../../parts/time.js";
import { choose, parse } from "../../shell/route.js";
import { tell, tellProblem } from "../../shell/notices.js";

const PAGE = 20;
const KEPT = 100;

/** @param {any} revision */
const numberOf = (revision) => `${revision.incarnation}.${revision.revision}`;

/**
 * @param {{name: string, gone?: boolean}} props `gone`: there is no such job now
 */
export function Revisions({ name, gone = false }) {
  const { params } = parse(location.hash);
  // An address may name any of them.
  const [limit] = useState(params.to && !params.older ? KEPT : PAGE);
  const { data, problem } = useGet(`revisions/${part(name)}`, { limit, before: params.older }, { on: about(["job"], name) });
  const list = data?.revisions ?? [];
  const chosen = params.to ?? (list[0] ? numberOf(list[0]) : null);
  // The page before the choice of a reader who comes by an address alone.
  const at = list.findIndex((/** @type {any} */ each) => numberOf(each) === chosen);
  const older = list[at + 1] ? numberOf(list[at + 1]) : null;

  if (gone && problem) return null;
  return html`<section class="revisions">
    ${gone && html`<h2>What is kept of it</h2>`}
    <${ProblemBox} problem=${problem} />
    ${!data && !problem && html`<${Loading} />`}
    ${data && list.length === 0 && html`<${Empty} title="Nothing is kept" />`}
    ${list.length > 0 &&
    html`<div class="two">
      <div class="card">
        <table class="revision-list">
          <thead><tr><th scope="col">revision</th><th scope="col">stored</th><th scope="col">changed</th></tr></thead>
          <tbody>
            ${list.map((/** @type {any} */ each) => html`<${Row} revision=${each} chosen=${numberOf(each) === chosen} />`)}
          </tbody>
        </table>
        <p class="pages">
          ${params.older && html`<button onClick=${() => choose({ older: null, to: null, from: null })}>Newest</button>`}
          ${data.next && html`<button onClick=${() => choose({ older: data.next, to: null, from: null })}>Older</button>`}
        </p>
      </div>
      ${chosen && html`<${Compared} key=${`${chosen} ${params.from ?? older}`} name=${name} chosen=${chosen} from=${params.from ?? older} list=${list} gone=${gone} />`}
    </div>`}
  </section>`;
}

/** @param {{revision: any, chosen: boolean}} props */
function Row({ revision, chosen }) {
  const number = numberOf(revision);
  const changed = revision.changed;
  return html`<tr class=${chosen ? "active" : ""}>
    <td>
      <button class="quiet link" aria-pressed=${chosen} onClick=${() => choose({ to: number, from: null })}>${number}</button>
      ${revision.present && html` <span class="badge good">in force</span>`} ${revision.removed && html` <span class="badge bad">deleted</span>`}
    </td>
    <td><${When} at=${revision.acceptedAt} exactly /></td>
    <td class="reason">
      ${changed === null ? html`<span class="none">not kept</span>` : changed.length === 0 ? html`<span class="none">nothing</span>` : changed.slice(0, 4).join(", ")}
      ${changed?.length > 4 && html` <small>and ${changed.length - 4} more</small>`}
    </td>
  </tr>`;
}

/**
 * @param {{name: string, chosen: string, from: string | null, list: any[], gone: boolean}} props
 */
function Compared({ name, chosen, from, list, gone }) {
  const refused = refusal(useMe(), "editor");
  const [busy, setBusy] = useState(false);
  const { data, problem } = useGet(from ? `diff/${part(name)}` : null, { from, to: chosen });
  const inForce = list.find((each) => each.present && numberOf(each) === chosen);
  const back = async () => {
    setBusy(true);
    await rollBack(name, chosen, gone);
    setBusy(false);
  };
  return html`<div class="card">
    <div class="title-row">
      <h2>Revision ${chosen}</h2>
      <label class="inline"
        >compared with
        <select onChange=${(/** @type {any} */ event) => choose({ to: chosen, from: event.target.value })}>
          ${!from && html`<option value="">–</option>`}
          ${list
            .map(numberOf)
            .filter((each) => each !== chosen)
            .map((each) => html`<option value=${each} selected=${each === from}>${each}</option>`)}
        </select></label
      >
      <p class="buttons">
        <button disabled=${refused !== null || Boolean(inForce) || busy} title=${refused ?? (inForce ? "it is in force" : undefined)} onClick=${back}>
          ${gone ? "Bring it back…" : "Roll back to it…"}
        </button>
      </p>
    </div>
    <${ProblemBox} problem=${problem} />
    ${!from && html`<p class="hint">No other revision is kept here to compare it with.</p>`}
    ${from && !data && !problem && html`<${Loading} />`}
    ${data && html`<${Changes} list=${data.changes} old=${from} now=${chosen} />`}
  </div>`;
}

/**
 * Says first what it would come to, and does that alone: if the job is changed meanwhile, it says anew.
 * @param {string} name
 * @param {string} revision
 * @param {boolean} gone
 * @param {boolean} [again]
 */
async function rollBack(name, revision, gone, again = false) {
  try {
    const only = gone ? { create: true } : { ifMatch: (await getTagged(`job/${part(name)}`)).etag };
    const { data } = await send("POST", `rollback/${part(name)}`, undefined, { params: { to: revision, dryRun: true }, ...only });
    const sentences = [...(data.warnings ?? []), ...(data.consequences ?? [])];
    const sure = await confirm({
      title: `Roll ${name} back to ${revision}?`,
      body: html`${again && html`<p class="warning">Somebody has changed the job meanwhile. As it is now:</p>`}
        ${data.changes ? html`<${Changes} list=${data.changes} old="now" now=${`as in ${revision}`} />` : html`<p>There is no such job now: it is created anew.</p>`}
        ${sentences.length > 0 && html`<ul class="consequences">${sentences.map((text) => html`<li><${Sentence} text=${text} /></li>`)}</ul>`}
        <p class="hint">It becomes a new revision. Statistics and history stay.</p>`,
      confirm: "Roll back",
    });
    if (sure === null) return;
    await send("POST", `rollback/${part(name)}`, undefined, { params: { to: revision }, ...only });
    tell({ tone: "good", text: `${name} says again what it said in ${revision}` });
    choose({ to: null, from: null });
  } catch (error) {
    if (/** @type {any} */ (error).status === 412) return rollBack(name, revision, false, true);
    tellProblem(`${name} was not rolled back`, error);
  }
}

/** A job made or changed: one draft, seen as a form, as JSON or as YAML, with what it would come to beside it. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { get, getTagged, part } from "../../data/http.js";
import { blank, definition, duplicate, kindOf, same, turnInto } from "../../data/definition.js";
import { refusal, useMe } from "../../data/me.js";
import { useAnswer } from "../../data/query.js";
import { onEvent } from "../../data/stream.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { Tabs } from "../../parts/tabs.js";
import { JobZone } from "../../parts/time.js";
import { choose, toJob } from "../../shell/route.js";
import { elsewhere, withoutUntyped, withRemedy } from "./faults.js";
import { FIELDS, Form } from "./form.js";
import { drop, keep, kept } from "./kept.js";
import { Preview, useTrial } from "./preview.js";
import { Review } from "./review.js";
import { TextEditor } from "./text.js";

/** @typedef {import("../../data/definition.js").Definition} Definition */
/** @typedef {import("./kept.js").Kept} Kept what is edited: `base` is the stored definition, null of a new job */

const TABS = [
  { id: "form", label: "Form" },
  { id: "json", label: "JSON" },
  { id: "yaml", label: "YAML" },
];

/**
 * What there is to edit at an address.
 * @param {import("../../shell/route.js").Route} route
 * @param {AbortSignal} signal
 * @returns {Promise<Kept & {secrets: string[]}>}
 */
async function begin(route, signal) {
  const [what, name] = route.path;
  if (what === "edit") {
    const { data, etag } = await getTagged(`job/${part(name ?? "")}`, { signal });
    const base = definition(data);
    return { base, etag, draft: base, secrets: [] };
  }
  const { from, kind } = route.params;
  if (from) {
    const { draft, secrets } = duplicate(definition(await get(`job/${part(from)}`, {}, { signal })), "");
    return { base: null, etag: "", draft, secrets };
  }
  const wanted = kind === "schedule" || kind === "dependent" ? kind : "cron";
  return { base: null, etag: "", draft: turnInto(blank(wanted), wanted, ""), secrets: [] };
}

/**
 * @param {{route: import("../../shell/route.js").Route}} props
 */
export default function Edit({ route }) {
  const name = route.path[0] === "edit" ? (route.path[1] ?? "") : null;
  const { from = "", kind = "" } = route.params;
  const key = name === null ? `new ${from} ${kind}` : `edit ${name}`;
  const { data, problem, reload } = useAnswer(key, (signal) => begin(route, signal));
  if (!data) {
    return problem ? html`<h1>${name ?? "New job"}</h1><${ProblemBox} problem=${problem} retry=${reload} />` : html`<${Loading} lines=${10} />`;
  }
  return html`<${Editor} key=${key} store=${key} started=${data} name=${name} from=${from} tab=${route.params.tab ?? "form"} />`;
}

/**
 * @param {{store: string, started: Kept & {secrets: string[]}, name: string | null, from: string, tab: string}} props
 */
function Editor({ store, started, name, from, tab }) {
  const me = useMe();
  const [edited, setEdited] = useState(() => kept(store) ?? { base: started.base, etag: started.etag, draft: started.draft });
  const [resumed, setResumed] = useState(() => kept(store) !== null);
  const [broken, setBroken] = useState(/** @type {{language: string, text: string} | null} */ (null));
  const [review, setReview] = useState(false);
  const [tried, setTried] = useState(false);
  // The text is made anew of the draft when the draft changes elsewhere than in the text.
  const [turn, setTurn] = useState(0);
  // Each time this grows, the keyboard goes to the first mistake.
  const [led, setLed] = useState(0);
  const { base, etag, draft } = edited;
  const [said] = useState(() => {
    /** @type {import("../../data/definition.js").Said} */
    const found = {};
    // What is stored was said too.
    if (base) turnInto(base, kindOf(base) === "dependent" ? "cron" : "dependent", "", found);
    return found;
  });
  const trial = useTrial(draft, base, etag);
  const [moved, setMoved] = useState(false);
  useEffect(
    () => onEvent((event) => {
      if (event.kind === "job" && event.job === name && (event.what === "replaced" || event.what === "deleted")) setMoved(true);
    }),
    [name],
  );
  useEffect(() => setMoved(false), [etag]);
  const refused = refusal(me, "editor");
  const language = tab === "json" || tab === "yaml" ? tab : null;
  const changed = base ? !same(base, draft) : true;
  const why = refused ?? (changed || broken ? null : "nothing is changed");

  const put = (/** @type {Kept} */ next) => {
    setEdited(next);
    if (next.base ? same(next.base, next.draft) : same(started.draft, next.draft)) drop(store);
    else keep(store, next);
  };
  const setDraft = (/** @type {Definition} */ next) => put({ ...edited, draft: next });
  const discard = () => {
    drop(store);
    // After somebody else's change was taken up, back is to that.
    setEdited(base ? { base, etag, draft: base } : { base: null, etag: "", draft: started.draft });
    setResumed(false);
    setBroken(null);
    setTurn(turn + 1);
  };
  const toReview = () => {
    setTried(true);
    if (broken) {
      choose({ tab: broken.language });
      setLed(led + 1);
    } else if (why === null) {
      setReview(true);
    }
  };
  const back = () => {
    setReview(false);
    setLed(led + 1);
  };
  useEffect(() => {
    if (led === 0 || language) return;
    /** @type {HTMLElement | null} */ (document.querySelector(".field.invalid :is(input, textarea, select)"))?.focus();
  }, [led]);
  useEffect(() => {
    const pressed = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      toReview();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });

  const list = [...trial.refused, ...misnamed(name, draft)];
  const shown = tried || base ? list : withoutUntyped(list, draft);
  const others = language ? [] : elsewhere(shown, FIELDS);
  return html`<${JobZone.Provider} value=${String(draft.scheduleTimeZone ?? "")}>
    <div class="title-row">
      <h1>${name === null ? "New job" : html`Edit <a href=${toJob(name)}>${name}</a>`}</h1>
      <p class="buttons">
        ${base && changed && html`<button onClick=${discard}>Discard</button>`}
        <button class="primary" disabled=${why !== null} title=${why ?? "review what changes, then save (Ctrl Enter)"} onClick=${toReview}>Review and save</button>
      </p>
    </div>
    ${refused && html`<p class="warning">Saving ${refused}.</p>`}
    ${resumed && html`<p class="warning">This is what you typed before and did not save. <button class="quiet link" onClick=${discard}>Begin anew</button></p>`}
    ${moved && !review && html`<p class="warning" role="status">Somebody has changed this job since you began. Saving shows what they did, before anything is stored.</p>`}
    ${started.secrets.length > 0 && html`<p class="warning">Values of secrets stay with ${from}: give ${started.secrets.join(", ")} anew.</p>`}
    <div class="edit">
      <div class="edit-main">
        <${Tabs} tabs=${TABS} chosen=${language ?? "form"} label="the draft as" />
        ${others.map((each) => html`<p class="problem" role="alert"><${Sentence} text=${withRemedy(each)} /></p>`)}
        ${broken && broken.language !== tab && html`<${Unfinished} language=${broken.language} drop=${() => setBroken(null)} />`}
        ${(!broken || broken.language === tab) &&
        (language
          ? html`<${TextEditor}
              key=${`${language} ${turn}`}
              language=${language}
              draft=${draft}
              broken=${broken?.text ?? null}
              refused=${shown}
              led=${led}
              set=${setDraft}
              setBroken=${(/** @type {string | null} */ text) => setBroken(text === null ? null : { language, text })}
            />`
          : html`<${Form} draft=${draft} set=${setDraft} refused=${shown} name=${name} said=${said} />`)}
      </div>
      <aside class="edit-side" aria-label="what it would come to">
        <${Preview} draft=${draft} trial=${trial} stored=${name} />
      </aside>
    </div>
    ${review &&
    html`<${Review}
      edited=${edited}
      close=${back}
      rebased=${(/** @type {Kept} */ next) => {
        put(next);
        setTurn(turn + 1);
      }}
      saved=${() => drop(store)}
    />`}
  <//>`;
}

/**
 * A new job is tried out under another name as long as it has none, and a stored job keeps
 * its own: under another one, another job would be made.
 * @param {string | null} name
 * @param {Definition} draft
 * @returns {import("./faults.js").Refused[]}
 */
function misnamed(name, draft) {
  if (name === null && !draft.name) return [{ field: "name", message: "a job needs a name", remedy: "give it one that says what it does", position: null }];
  if (name === null || draft.name === name) return [];
  return [{ field: "name", message: `this changes \`${name}\`, and a job cannot be renamed`, remedy: "duplicate it under the other name, then delete it", position: null }];
}

/** @param {{language: string, drop: () => void}} props */
function Unfinished({ language, drop: forget }) {
  return html`<div class="problem" role="alert">
    <p>The ${language.toUpperCase()} has a mistake, so it is not known what else the draft says.</p>
    <p class="hint">Go back to it, or go on from what could be read last.</p>
    <button onClick=${forget}>Drop what was typed there</button>
  </div>`;
}


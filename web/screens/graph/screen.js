/** Which jobs follow which: all of it, or the neighbourhood of one job. */

import { html, useMemo, useRef, useState } from "../../vendor/preact.js";
import { counted } from "../../data/format.js";
import { useAnswer, useGet } from "../../data/query.js";
import { get, part } from "../../data/http.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { useKeys } from "../../shell/keys.js";
import { choose, to, toJob } from "../../shell/route.js";
import { criticalPath } from "./critical.js";
import { inOrder, kin, line, unseen } from "./kin.js";
import { List } from "./list.js";
import { useGraph } from "./live.js";
import { Picture } from "./picture.js";
import { Side, useLastRun } from "./side.js";
import { jobLook, SHOWN, standingOf } from "./states.js";
import { towards } from "./view.js";

const MOST = 2_000;
const FIRST = 500;
const FURTHEST = 20;
/** CSS pixels that a key moves the picture. */
const STEP = 80;

const EXAMPLE = `curl -H 'Content-Type: application/json' ${new URL("scheduler/dependency", document.baseURI)} \\
  -d '{"name": "load", "command": "./load.sh", "parents": ["extract"]}'`;

/** @param {{route: import("../../shell/route.js").Route}} props */
export default function GraphScreen({ route: { params } }) {
  const job = params.job || null;
  const up = amount(params.up, 2);
  const down = amount(params.down, 2);
  const max = params.max === String(MOST) ? MOST : FIRST;
  const answer = useGraph({ job, up, down, max });
  const graph = answer.data;
  return html`<div class="graph">
    <div class="title-row">
      <h1>Graph</h1>
      ${job
        ? html`<${Generations} job=${job} up=${up} down=${down} />`
        : graph && graph.nodes.length > 0 && html`<span class="hint">${counted(graph.nodes.length, "job")} that ${graph.nodes.length === 1 ? "has" : "have"} parents or children</span>`}
      <span class="chips last" role="group" aria-label="shown as">
        <a class="chip" aria-current=${params.as ? undefined : "true"} href=${to(["graph"], { ...params, as: null })}>Picture</a>
        <a class="chip" aria-current=${params.as ? "true" : undefined} href=${to(["graph"], { ...params, as: "table" })}>Table</a>
      </span>
    </div>
    <${ProblemBox} problem=${answer.problem} retry=${answer.reload} />
    ${answer.problem && job && !graph && html`<p><a href=${to(["graph"])}>Show the whole graph</a></p>`}
    ${!graph && !answer.problem && html`<${Loading} />`}
    ${graph && graph.nodes.length === 0 && html`<${Nothing} />`}
    ${graph && graph.nodes.length > 0 && html`<${Shown} graph=${graph} params=${params} job=${job} />`}
  </div>`;
}

/**
 * @param {string | undefined} text
 * @param {number} otherwise
 */
function amount(text, otherwise) {
  const value = Number(text);
  return text !== undefined && Number.isInteger(value) && value >= 0 ? Math.min(FURTHEST, value) : otherwise;
}

function Nothing() {
  return html`<${Empty} title="No job depends on another" command=${EXAMPLE}>
    A job with <code>parents</code> runs each time all of them have succeeded since its last run. Make one from a job that you have,${" "}
    <code>extract</code> here, or <a href=${to(["new"])}>with the form</a>.
  <//>`;
}

/** @param {{job: string, up: number, down: number}} props */
function Generations({ job, up, down }) {
  const field = (/** @type {"up" | "down"} */ name, /** @type {number} */ value, /** @type {string} */ label) => html`<label
    >${label}
    <input
      type="number"
      min="0"
      max=${FURTHEST}
      value=${value}
      onChange=${(/** @type {any} */ event) => choose({ [name]: event.target.value })}
  /></label>`;
  return html`<span class="generations">
    around <a class="name" href=${toJob(job)} title=${job}>${job}</a>
    ${field("up", up, "generations up")} ${field("down", down, "down")}
    <a href=${to(["graph"])}>whole graph</a>
  </span>`;
}

/**
 * @param {{graph: import("./picture.js").Graph & {signature: string}, params: Record<string, string>, job: string | null}} props
 */
function Shown({ graph, params, job }) {
  const at = params.at || null;
  const [pointed, setPointed] = useState(/** @type {string | null} */ (null));
  const controls = useRef(/** @type {import("./picture.js").Controls | null} */ (null));
  const known = useMemo(() => kin(graph.edges), [graph.edges]);
  const byName = useMemo(() => new Map(graph.nodes.map((node) => [node.job, node])), [graph.nodes]);
  const node = (at && byName.get(at)) || null;
  const lit = pointed ?? (node ? at : null);
  const kinOfLit = useMemo(() => (lit ? line(known, lit) : null), [known, lit]);
  const run = useLastRun(at);
  const chain = useChain(run, known);
  const words = (params.search ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const found = useMemo(
    () => (words.length ? inOrder(graph.nodes).filter((each) => words.every((word) => each.job.toLowerCase().includes(word))).map((each) => each.job) : null),
    [params.search, graph.signature],
  );
  const matches = useMemo(() => (found?.length ? new Set(found) : null), [found]);
  // Back closes what was opened, but does not go through all that was looked at meanwhile.
  const select = (/** @type {string | null} */ name) => choose({ at: name }, { keep: at === null && name !== null });
  const show = (/** @type {string} */ name) => {
    select(name);
    controls.current?.show(name);
  };
  const step = (/** @type {number} */ by) => {
    const order = inOrder(graph.nodes);
    const now = order.findIndex((each) => each.job === at);
    show(order[now < 0 ? 0 : (now + by + order.length) % order.length].job);
  };
  const arrow = (/** @type {import("./view.js").Direction} */ direction) => (/** @type {KeyboardEvent} */ event) => {
    if (event.shiftKey) {
      if (node) show(towards(graph.nodes, node, direction).job);
      else step(1);
      return;
    }
    const by = { left: [STEP, 0], right: [-STEP, 0], up: [0, STEP], down: [0, -STEP] }[direction];
    controls.current?.move(by[0], by[1]);
  };
  useKeys(
    params.as
      ? []
      : [
          { key: "j", does: "next job of the graph", run: () => step(1) },
          { key: "k", does: "previous job of the graph", run: () => step(-1) },
          { key: "ArrowLeft", does: "move the picture; with Shift to the next job there", run: arrow("left") },
          { key: "ArrowRight", does: "the same to the right", run: arrow("right") },
          { key: "ArrowUp", does: "the same upwards", run: arrow("up") },
          { key: "ArrowDown", does: "the same downwards", run: arrow("down") },
          { key: "+", does: "larger", run: () => controls.current?.zoom(1.25) },
          { key: "-", does: "smaller", run: () => controls.current?.zoom(0.8) },
          { key: "0", does: "all of the graph", run: () => controls.current?.fit() },
          { key: "Escape", does: "choose no job", run: () => select(null) },
        ],
  );
  const spoken = at && node ? `${at}, ${jobLook(standingOf(node)).word}, ${sentence(known, at)}` : "";
  return html`<${Search} params=${params} found=${found} at=${at} show=${show} />
    ${graph.leftOut > 0 && html`<${LeftOut} graph=${graph} max=${params.max} />`}
    ${params.as
      ? html`<${List} graph=${graph} known=${known} matches=${matches} />`
      : html`<div class="graph-body ${at ? "with-side" : ""}">
          <div class="graph-frame">
            <${Picture}
              graph=${graph}
              signature=${graph.signature}
              known=${known}
              anchor=${job}
              chosen=${at}
              lit=${lit}
              line=${kinOfLit}
              matches=${matches}
              critical=${chain.path}
              choose=${select}
              light=${setPointed}
              controls=${controls}
            />
            <div class="zoom" role="group" aria-label="size of the picture">
              <button title="larger (+)" aria-label="larger" onClick=${() => controls.current?.zoom(1.25)}>+</button>
              <button title="smaller (-)" aria-label="smaller" onClick=${() => controls.current?.zoom(0.8)}>−</button>
              <button title="all of it (0)" onClick=${() => controls.current?.fit()}>Fit</button>
            </div>
            <p class="unseen" id="graph-keys">
              Arrow keys move the picture, with Shift they go to the next job in that direction; j and k go through all jobs, plus, minus and 0 change the size. The
              same jobs are in the table, which the link Table above shows.
            </p>
            <p class="unseen" role="status" aria-live="polite">${spoken}</p>
          </div>
          ${at &&
          html`<${Side}
            key=${at}
            name=${at}
            node=${node}
            parents=${known.parents.get(at) ?? []}
            children=${known.children.get(at) ?? []}
            more=${node ? unseen(node, known).after : 0}
            run=${run}
            critical=${chain.path}
            chainProblem=${chain.problem}
            truncated=${chain.truncated}
            choose=${(/** @type {string | null} */ name) => (name && byName.has(name) ? show(name) : select(name))}
          />`}
        </div>`}
    ${!params.as && html`<${Key} critical=${(chain.path?.stages.length ?? 0) > 1} lit=${lit !== null} />`}`;
}

/**
 * @param {import("./kin.js").Kin} known
 * @param {string} job
 */
function sentence(known, job) {
  const parents = known.parents.get(job) ?? [];
  const children = known.children.get(job) ?? [];
  const before = parents.length ? `after ${parents.slice(0, 3).join(", ")}${parents.length > 3 ? ` and ${parents.length - 3} more` : ""}` : "after no other";
  return `${before}, ${counted(children.length, "job")} after it`;
}

/**
 * The critical path of the chain that a run belongs to.
 * @param {any} run
 * @param {import("./kin.js").Kin} known
 */
function useChain(run, known) {
  const id = run?.id ?? null;
  const jobs = useMemo(() => {
    if (!run) return new Set();
    const { ancestors, descendants } = line(known, run.job);
    return new Set([run.job, ...ancestors, ...descendants]);
  }, [known, run?.job]);
  const answer = useAnswer(
    `chain ${id}`,
    async (signal) => (id ? get(`chain/${part(id)}`, {}, { signal }) : null),
    { on: (event) => event.kind === "run" && jobs.has(event.job), paused: id === null },
  );
  const path = useMemo(() => (answer.data ? criticalPath(answer.data.steps, Date.now()) : null), [answer.data]);
  return { path, problem: answer.problem, truncated: answer.data?.truncated === true };
}

/**
 * @param {{params: Record<string, string>, found: string[] | null, at: string | null, show: (job: string) => void}} props
 */
function Search({ params, found, at, show }) {
  const text = params.search ?? "";
  const place = found && at ? found.indexOf(at) : -1;
  const next = (/** @type {number} */ by) => {
    if (found?.length) show(found[(Math.max(place, by > 0 ? -1 : 0) + by + found.length) % found.length]);
  };
  // What is typed is looked up in the picture at once, and with the server only where it is not in there.
  const elsewhere = useGet(found && found.length === 0 ? "overview" : null, { search: text, limit: 8 });
  return html`<form
      class="filters"
      role="search"
      aria-label="jobs of the graph"
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        next(1);
      }}
    >
      <input
        data-search
        type="search"
        placeholder="Find a job in the graph  /"
        aria-label="find a job in the graph"
        value=${text}
        onInput=${(/** @type {any} */ event) => choose({ search: event.target.value })}
      />
      ${found &&
      found.length > 0 &&
      !params.as &&
      html`<span class="number" role="status">${place >= 0 ? `${place + 1} of ${found.length}` : counted(found.length, "match", "matches")}</span>
        <button type="button" onClick=${() => next(-1)}>Previous</button> <button>Next</button>`}
    </form>
    ${found &&
    found.length === 0 &&
    html`<p class="elsewhere" role="status">
      No job of this picture is called that.
      ${elsewhere.data?.jobs?.length > 0 &&
      html`Elsewhere:
      ${elsewhere.data.jobs.map(
        (/** @type {{name: string}} */ { name }) => html` <a class="button" title="the neighbourhood of ${name}" href=${to(["graph"], { job: name, at: name })}>${name}</a>`,
      )}`}
    </p>`}`;
}

/** @param {{graph: import("./picture.js").Graph, max: string | undefined}} props */
function LeftOut({ graph, max }) {
  const more = max !== String(MOST) && graph.nodes.length < MOST;
  return html`<p class="left-out" role="status">
    ${counted(graph.leftOut, "more job")} of ${counted(graph.total, "job")} ${graph.leftOut === 1 ? "is" : "are"} not in the picture.
    ${more && html` <button class="as-link" onClick=${() => choose({ max: MOST })}>Show up to ${MOST}</button>.`} Find one of them above to see its neighbourhood.
  </p>`;
}

/** @param {{critical: boolean, lit: boolean}} props */
function Key({ critical, lit }) {
  return html`<ul class="key" aria-label="what the colours mean">
    ${SHOWN.map((each) => {
      const { word, glyph, tone } = jobLook(each);
      return html`<li key=${each}><span class="state small ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span></span> ${word}</li>`;
    })}
    ${lit && html`<li><i class="line up"></i> depends on</li><li><i class="line down"></i> is waited for by</li>`}
    ${critical && html`<li><i class="line critical"></i> decided when the last chain was over</li>`}
  </ul>`;
}

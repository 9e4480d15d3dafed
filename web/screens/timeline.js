/** What ran and what will run, of all jobs on one axis of time. */

import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { useKeys } from "../shell/keys.js";
import { choose, to } from "../shell/route.js";
import { List } from "./timeline/list.js";
import { Picture } from "./timeline/picture.js";
import { makeScene } from "./timeline/scene.js";
import { askedFor, following, panned, paramsOf, PAST, SPANS, windowOf, zoomed } from "./timeline/window.js";

const STATES = ["running", "waiting", "failing", "late", "succeeding", "fresh", "paused", "disabled", "quarantined", "shadow"];
/** How long a window is left alone before it is asked for and told to the address. */
const SETTLED_MS = 200;

/** @param {{route: import("../shell/route.js").Route}} props */
export default function Timeline({ route: { params } }) {
  const [scene] = useState(() => makeScene(windowOf(params, Date.now())));
  const [window, setWindow] = useState(scene.get());
  const [asked, setAsked] = useState(() => askedFor(scene.get()));
  const settle = useSettling(scene, params, setWindow, setAsked);
  const filter = useMemo(() => ({ job: params.job, search: params.search, state: params.state, sort: params.sort, busy: params.busy }), [params.job, params.search, params.state, params.sort, params.busy]);

  const set = (/** @type {import("./timeline/window.js").Window} */ next) => {
    scene.set(next);
    settle();
  };
  const span = (/** @type {number} */ ms) => {
    const { from, to: end, follows } = scene.get();
    const middle = (from + end) / 2;
    set(follows ? following(ms, Date.now()) : { from: middle - ms / 2, to: middle + ms / 2, follows });
  };
  const now = () => set(following(scene.get().to - scene.get().from, Date.now()));
  const pan = (/** @type {number} */ share) => set(panned(scene.get(), share));
  const zoom = (/** @type {number} */ factor, share = scene.get().follows ? PAST : 0.5) => set(zoomed(scene.get(), factor, share, Date.now()));
  useKeys([
    { key: "ArrowLeft", does: "earlier", run: () => pan(-0.1) },
    { key: "ArrowRight", does: "later", run: () => pan(0.1) },
    { key: "+", does: "a shorter time", run: () => zoom(0.7) },
    { key: "-", does: "a longer time", run: () => zoom(1 / 0.7) },
    { key: "0", does: "follow the present", run: now },
    ...SPANS.map(({ id, ms }, index) => ({ key: String(index + 1), does: `${id} of time`, run: () => span(ms) })),
  ]);
  const length = window.to - window.from;
  return html`<div class="timeline">
    <div class="title-row">
      <h1>Timeline</h1>
      <span class="chips" role="group" aria-label="how much time is shown">
        ${SPANS.map(({ id, ms }) => html`<button key=${id} class="chip" aria-pressed=${Math.abs(ms - length) < 1_000} onClick=${() => span(ms)}>${id}</button>`)}
      </span>
      <span class="chips" role="group" aria-label="which time is shown">
        <button class="chip" aria-label="earlier" title="earlier (←)" onClick=${() => pan(-0.5)}>‹</button>
        <button class="chip" aria-pressed=${window.follows} title="follow the present (0)" onClick=${now}>now</button>
        <button class="chip" aria-label="later" title="later (→)" onClick=${() => pan(0.5)}>›</button>
      </span>
      <span class="chips last" role="group" aria-label="shown as">
        <a class="chip" aria-current=${params.as ? undefined : "true"} href=${to(["timeline"], { ...params, as: null, page: null })}>Picture</a>
        <a class="chip" aria-current=${params.as ? "true" : undefined} href=${to(["timeline"], { ...params, as: "table" })}>Table</a>
      </span>
    </div>
    <${Filters} params=${params} />
    ${params.as
      ? html`<${List} filter=${filter} asked=${asked} page=${Math.max(0, Math.floor(Number(params.page) || 0))} />`
      : html`<${Picture} scene=${scene} filter=${filter} asked=${asked} set=${set} />`}
  </div>`;
}

/**
 * Keeps the address and what is asked for with the window: some time after it was moved, each second while it follows the
 * present, and the other way round when the address changes.
 *
 * @param {import("./timeline/scene.js").Scene} scene
 * @param {Record<string, string>} params
 * @param {(window: import("./timeline/window.js").Window) => void} setWindow
 * @param {(update: (known: {from: number, to: number}) => {from: number, to: number}) => void} setAsked
 */
function useSettling(scene, params, setWindow, setAsked) {
  const planned = useRef(/** @type {ReturnType<typeof setTimeout> | null} */ (null));
  const told = useRef(JSON.stringify([params.from, params.to, params.span]));
  const ask = () => {
    const next = askedFor(scene.get());
    setAsked((known) => (known.from === next.from && known.to === next.to ? known : next));
  };
  const settled = () => {
    planned.current = null;
    const window = scene.get();
    const { from, to: end, span } = paramsOf(window);
    told.current = JSON.stringify([from ?? undefined, end ?? undefined, span ?? undefined]);
    choose({ from, to: end, span });
    setWindow(window);
    ask();
  };
  useEffect(() => {
    const timer = setInterval(() => {
      const window = scene.get();
      if (window.follows) {
        scene.set(following(window.to - window.from, Date.now()));
        if (!planned.current) ask();
      } else {
        scene.redraw();
      }
    }, 1_000);
    return () => {
      clearInterval(timer);
      if (planned.current) clearTimeout(planned.current);
    };
  }, [scene]);
  const key = JSON.stringify([params.from, params.to, params.span]);
  useEffect(() => {
    if (key === told.current || planned.current) return;
    told.current = key;
    const window = windowOf(params, Date.now());
    scene.set(window);
    setWindow(window);
    ask();
  }, [key]);
  return () => {
    if (planned.current) clearTimeout(planned.current);
    planned.current = setTimeout(settled, SETTLED_MS);
  };
}

/** @param {{params: Record<string, string>}} props */
function Filters({ params }) {
  return html`<form class="filters" role="search" aria-label="jobs of the timeline" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <input
      data-search
      type="search"
      placeholder="Search jobs  /"
      aria-label="search jobs of the timeline"
      value=${params.search ?? ""}
      onInput=${(/** @type {any} */ event) => choose({ search: event.target.value, page: null })}
    />
    <select aria-label="state of jobs" onChange=${(/** @type {any} */ event) => choose({ state: event.target.value, page: null })}>
      <option value="">all jobs</option>
      ${STATES.map((state) => html`<option value=${state} selected=${params.state === state}>${state}</option>`)}
    </select>
    <select aria-label="order of jobs" onChange=${(/** @type {any} */ event) => choose({ sort: event.target.value, page: null })}>
      <option value="">by name</option>
      <option value="nextDue" selected=${params.sort === "nextDue"}>by next start</option>
    </select>
    ${params.job && html`<a class="chip" title="show all jobs" href=${to(["timeline"], { ...params, job: null })}>only ${params.job} ×</a>`}
    <label><input type="checkbox" checked=${params.busy === "true"} onChange=${(/** @type {any} */ event) => choose({ busy: event.target.checked ? "true" : null, page: null })} /> only with runs or starts in this time</label>
  </form>`;
}

/** What ran and what will run, of all jobs on one axis of time. */

import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { counted } from "../data/format.js";
import { theme } from "../data/preferences.js";
import { hands } from "../parts/hands.js";
import { Empty, Loading, ProblemBox } from "../parts/problem.js";
import { look } from "../parts/state.js";
import { VirtualRows } from "../parts/table.js";
import { useZone } from "../parts/time.js";
import { useKeys } from "../shell/keys.js";
import { choose, go, to, toJob, toRun } from "../shell/route.js";
import { Axis } from "./timeline/axis.js";
import { under } from "./timeline/bars.js";
import { Details, spoken } from "./timeline/details.js";
import { LaneRow } from "./timeline/lane.js";
import { useLanes } from "./timeline/lanes.js";
import { List } from "./timeline/list.js";
import { colours, makeScene } from "./timeline/scene.js";
import { askedFor, following, panned, paramsOf, PAST, SPANS, windowOf, zoomed } from "./timeline/window.js";

const STATES = ["running", "waiting", "failing", "late", "succeeding", "fresh", "paused", "disabled", "quarantined", "shadow"];
/** How long a window is left alone before it is asked for and told to the address. */
const SETTLED_MS = 200;
const NARROW = 700;

/**
 * @typedef {import("./timeline/bars.js").Bar | import("./timeline/bars.js").Band} What
 */

/** @param {{route: import("../shell/route.js").Route}} props */
export default function Timeline({ route: { params } }) {
  const [scene] = useState(() => makeScene(windowOf(params, Date.now())));
  const [window, setWindow] = useState(scene.get());
  const [asked, setAsked] = useState(() => askedFor(scene.get()));
  const settle = useSettling(scene, params, setWindow, setAsked);
  const filter = useMemo(() => ({ search: params.search, state: params.state, sort: params.sort, busy: params.busy }), [params.search, params.state, params.sort, params.busy]);

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
      <span class="spans" role="group" aria-label="how much time is shown">
        ${SPANS.map(({ id, ms }) => html`<button key=${id} class="chip" aria-pressed=${Math.abs(ms - length) < 1_000} onClick=${() => span(ms)}>${id}</button>`)}
      </span>
      <span class="spans" role="group" aria-label="which time is shown">
        <button class="chip" aria-label="earlier" title="earlier (←)" onClick=${() => pan(-0.5)}>‹</button>
        <button class="chip" aria-pressed=${window.follows} title="follow the present (0)" onClick=${now}>now</button>
        <button class="chip" aria-label="later" title="later (→)" onClick=${() => pan(0.5)}>›</button>
      </span>
      <span class="view-as" role="group" aria-label="shown as">
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
    <label><input type="checkbox" checked=${params.busy === "true"} onChange=${(/** @type {any} */ event) => choose({ busy: event.target.checked ? "true" : null, page: null })} /> only with runs or starts in this time</label>
  </form>`;
}

/**
 * @param {{scene: import("./timeline/scene.js").Scene, filter: import("./timeline/lanes.js").Filter, asked: {from: number, to: number},
 *   set: (window: import("./timeline/window.js").Window) => void}} props
 */
function Picture({ scene, filter, asked, set }) {
  const zone = useZone();
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(0);
  const [narrow, setNarrow] = useState(false);
  const [range, setRange] = useState({ first: 0, last: 30 });
  const [active, setActive] = useState(-1);
  const [pointed, setPointed] = useState(/** @type {{index: number, what: What, x: number, y: number} | null} */ (null));
  const lit = useRef(/** @type {import("./timeline/lane.js").Lit | null} */ (null));
  const shown = useMemo(() => new Map(), []);
  const palette = usePalette(scene);
  const lanes = useLanes(filter, asked, range.first, range.last);
  const height = 36;
  const row = narrow ? 56 : 37;

  const light = (/** @type {{index: number, what: What, x: number, y: number} | null} */ next) => {
    if (next?.what === lit.current?.what && next === null) return;
    lit.current = next;
    setPointed(next);
    scene.redraw();
  };
  /** What is at a point of the picture, and of which lane. */
  const at = (/** @type {number} */ x, /** @type {number} */ y) => {
    const { rows, axis } = partsOf(element.current);
    if (!rows || !axis) return null;
    const inside = y - axis.offsetHeight;
    if (inside < 0) return null;
    const index = Math.floor((inside + rows.scrollTop) / row);
    const made = shown.get(index);
    const top = inside + rows.scrollTop - index * row - (row - height - 1);
    const what = made && under(made, scene.get(), axis.offsetWidth, height, x - axis.offsetLeft, top);
    return what ? { index, what } : null;
  };
  const open = (/** @type {number} */ index, /** @type {What} */ what) => {
    const lane = lanes.lane(index);
    if ("kind" in what && what.kind === "run") go(toRun(what.about.run));
    else if (lane) go(toJob(lane.job, "kind" in what ? {} : { tab: "history" }));
  };
  const latest = useRef({ at, open, set, light });
  latest.current = { at, open, set, light };

  const there = lanes.total !== null && lanes.total > 0;
  useEffect(() => {
    const box = element.current;
    if (!box || !there) return;
    const measure = () => {
      setWidth(partsOf(box).axis?.clientWidth ?? 0);
      setNarrow(box.clientWidth < NARROW);
    };
    const resized = new ResizeObserver(measure);
    resized.observe(box);
    measure();
    const share = (/** @type {number} */ x) => {
      const { axis } = partsOf(box);
      return axis ? Math.min(1, Math.max(0, (x - axis.offsetLeft) / axis.clientWidth)) : 0.5;
    };
    const letGo = hands(box, {
      within: ".lane-time, .axis-place",
      pan(x, y) {
        const { rows, axis } = partsOf(box);
        if (rows) rows.scrollTop -= y;
        if (x !== 0 && axis) latest.current.set(panned(scene.get(), -x / axis.clientWidth));
      },
      zoom: (factor, x) => latest.current.set(zoomed(scene.get(), 1 / factor, share(x), Date.now())),
      at(x, y) {
        const found = latest.current.at(x, y);
        if (found) latest.current.open(found.index, found.what);
      },
      over(x, y) {
        const found = x === null || y === null ? null : latest.current.at(x, y);
        const { left, top } = box.getBoundingClientRect();
        box.classList.toggle("pointed", found !== null);
        latest.current.light(found && { ...found, x: left + Number(x), y: top + Number(y) });
      },
      wheel(event) {
        if (event.ctrlKey || event.metaKey) return "zoom";
        const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
        return Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY) ? { x: -sideways, y: 0 } : "scroll";
      },
    });
    return () => {
      letGo();
      resized.disconnect();
    };
  }, [there]);
  useEffect(() => {
    setWidth(partsOf(element.current).axis?.clientWidth ?? 0);
  }, [narrow]);

  const move = (/** @type {number} */ by) => {
    setActive((known) => Math.max(0, Math.min((lanes.total ?? 1) - 1, known + by)));
    light(null);
  };
  /** Goes on to another bar of the lane that is active, and moves the window if it is not in it. */
  const step = (/** @type {number} */ by) => {
    const made = shown.get(active);
    if (!made) return;
    const window = scene.get();
    const all = [...made.bars, ...made.bands].sort((a, b) => a.from - b.from);
    const known = lit.current?.index === active ? all.indexOf(lit.current?.what) : -1;
    const next = known >= 0 ? all[known + by] : by > 0 ? all.find((each) => each.to >= window.from) : all.findLast((each) => each.from <= window.to);
    const { axis, rows } = partsOf(element.current);
    if (!next || !axis || !rows) return;
    if (next.to < window.from || next.from > window.to) set(panned(window, (next.from - (window.from + window.to) / 2) / (window.to - window.from)));
    const { left, top } = axis.getBoundingClientRect();
    const { from, to: end } = scene.get();
    const x = left + Math.max(0, Math.min(1, (next.from - from) / (end - from))) * axis.clientWidth;
    light({ index: active, what: next, x, y: top + axis.offsetHeight + (active + 1) * row - rows.scrollTop - 10 });
  };
  useKeys([
    { key: "j", does: "next job", run: () => move(1) },
    { key: "k", does: "previous job", run: () => move(-1) },
    { key: "]", does: "next run or start of the job", run: () => step(1) },
    { key: "[", does: "the one before", run: () => step(-1) },
    {
      key: "Enter",
      does: "open the run, or the job",
      run() {
        const lane = lanes.lane(active);
        if (lit.current?.index === active) open(active, lit.current.what);
        else if (lane) go(toJob(lane.job));
      },
    },
    { key: "Escape", does: "choose no run", run: () => light(null) },
  ]);

  const pointedLane = pointed && lanes.lane(pointed.index);
  const total = lanes.total ?? 0;
  return html`<${ProblemBox} problem=${lanes.problem} retry=${lanes.reload} />
    ${lanes.total === null && !lanes.problem && html`<${Loading} lines=${8} />`}
    ${lanes.total === 0 && html`<${Nothing} filtered=${Boolean(filter.search || filter.state || filter.busy)} />`}
    ${there &&
    html`<div class="timeline-body ${narrow ? "narrow" : ""}" ref=${element}>
      <${VirtualRows}
        total=${total}
        height=${row}
        active=${active}
        label="jobs on a time line; arrow left and right move the time, j and k go through jobs, brackets through runs"
        seen=${(/** @type {number} */ first, /** @type {number} */ last) => setRange((known) => (known.first === first && known.last === last ? known : { first, last }))}
        head=${html`<div class="lane head-lane" role="row">
          <span class="lane-name" role="columnheader">${counted(total, "job")}</span>
          <div class="axis-place" role="columnheader"><span class="unseen">what ran and will run</span><${Axis} scene=${scene} zone=${zone} width=${width} /></div>
        </div>`}
        row=${(/** @type {number} */ index) => html`<${LaneRow}
          key=${index}
          lane=${lanes.lane(index)}
          index=${index}
          active=${index === active}
          scene=${scene}
          colours=${palette}
          zone=${zone}
          width=${width}
          height=${height}
          row=${row}
          lit=${lit}
          shown=${shown}
        />`}
      />
    </div>`}
    <p class="unseen" role="status" aria-live="polite">${pointed && pointedLane && pointed.index === active ? spoken(pointedLane, pointed.what, zone) : ""}</p>
    ${pointed && pointedLane && html`<${Details} job=${pointedLane.job} lane=${pointedLane} what=${pointed.what} zone=${zone} x=${pointed.x} y=${pointed.y} />`}
    ${there && html`<${Key} />`}`;
}

/** @param {HTMLElement | null} box */
function partsOf(box) {
  return {
    rows: /** @type {HTMLElement | null} */ (box?.querySelector(".rows") ?? null),
    axis: /** @type {HTMLElement | null} */ (box?.querySelector(".axis-place") ?? null),
  };
}

/**
 * The colours of the theme, read anew when it changes.
 * @param {import("./timeline/scene.js").Scene} scene
 */
function usePalette(scene) {
  const palette = useRef(/** @type {import("./timeline/scene.js").Colours | null} */ (null));
  palette.current ??= colours();
  useEffect(() => {
    const again = () =>
      // The choice is on the page once all who watch it were told.
      requestAnimationFrame(() => {
        palette.current = colours();
        scene.redraw();
      });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", again);
    const stop = theme.watch(again);
    return () => {
      system.removeEventListener("change", again);
      stop();
    };
  }, [scene]);
  return palette;
}

/** @param {{filtered: boolean}} props */
function Nothing({ filtered }) {
  if (filtered) return html`<${Empty} title="No job is like that">Search for less, or <a href=${to(["timeline"])}>show all jobs</a>.<//>`;
  const address = new URL("scheduler/iso8601", document.baseURI);
  return html`<${Empty}
    title="There are no jobs yet"
    command=${`curl -H 'Content-Type: application/json' ${address} \\\n  -d '{"name": "hello", "schedule": "*/5 * * * *", "command": "echo hello"}'`}
  >
    Make the first one, here or <a href=${to(["new"])}>with the form</a>.
  <//>`;
}

function Key() {
  const runs = ["succeeded", "failed", "killed", "running", "missed", "skipped"];
  return html`<ul class="key" aria-label="what bars mean">
    ${runs.map((each) => {
      const { word, glyph, tone } = look(each);
      return html`<li key=${each}><span class="state small ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span></span> ${word}</li>`;
    })}
    <li><i class="swatch waits"></i> waits to start</li>
    <li><i class="swatch ahead"></i> will start, as long as it usually takes</li>
    <li><i class="swatch more"></i> more than is shown</li>
  </ul>`;
}

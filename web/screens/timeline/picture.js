/** The lanes in sight and the axis above them, with what pointers and keys do to them. */

import { html, useEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { counted } from "../../data/format.js";
import { colours as shown } from "../../data/preferences.js";
import { hands } from "../../parts/hands.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { look } from "../../parts/state.js";
import { VirtualRows } from "../../parts/table.js";
import { useZone } from "../../parts/time.js";
import { useKeys } from "../../shell/keys.js";
import { go, to, toJob, toRun } from "../../shell/route.js";
import { Axis } from "./axis.js";
import { under } from "./bars.js";
import { Details, spoken } from "./details.js";
import { LaneRow } from "./lane.js";
import { useLanes } from "./lanes.js";
import { TO_COME } from "./pages.js";
import { colours } from "./scene.js";
import { panned, zoomed } from "./window.js";

/** The height of what is drawn of a job, and of its row, in CSS pixels; on a phone its name is above. */
const HEIGHT = 36;
const ROW = 37;
const NARROW_ROW = 56;
/** Boxes less wide are taken for phones. */
const NARROW = 700;

/**
 * @typedef {import("./bars.js").Bar | import("./bars.js").Band} What
 */

/**
 * @param {{scene: import("./scene.js").Scene, filter: import("./lanes.js").Filter, asked: {from: number, to: number},
 *   set: (window: import("./window.js").Window) => void}} props
 */
export function Picture({ scene, filter, asked, set }) {
  const zone = useZone();
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(0);
  const [narrow, setNarrow] = useState(false);
  const [range, setRange] = useState({ first: 0, last: 30 });
  const [active, setActive] = useState(-1);
  const [pointed, setPointed] = useState(/** @type {{index: number, what: What, x: number, y: number} | null} */ (null));
  const lit = useRef(/** @type {import("./lane.js").Lit | null} */ (null));
  const shown = useMemo(() => new Map(), []);
  const palette = usePalette(scene);
  const lanes = useLanes(filter, asked, range.first, range.last);
  const height = HEIGHT;
  const row = narrow ? NARROW_ROW : ROW;

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
    // What is told of a bar would stand beside another one.
    const scrolled = () => latest.current.light(null);
    const { rows: list } = partsOf(box);
    list?.addEventListener("scroll", scrolled, { passive: true });
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
      list?.removeEventListener("scroll", scrolled);
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
    ${lanes.total === 0 && html`<${Nothing} filtered=${Boolean(filter.job || filter.search || filter.state || filter.busy)} />`}
    ${there &&
    html`<div class="timeline-body ${narrow ? "phone" : ""}" ref=${element}>
      <${VirtualRows}
        total=${total}
        height=${row}
        active=${active}
        label="jobs on a time line; arrow left and right move the time, j and k go through jobs, brackets through runs"
        seen=${(/** @type {number} */ first, /** @type {number} */ last) => setRange((known) => (known.first === first && known.last === last ? known : { first, last }))}
        head=${html`<div class="lane head-lane" role="row">
          <span class="lane-name" role="columnheader">${lanes.goesOn ? `${counted(total - TO_COME, "job")}, and more` : counted(total, "job")}</span>
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
 * @param {import("./scene.js").Scene} scene
 */
function usePalette(scene) {
  const palette = useRef(/** @type {import("./scene.js").Colours | null} */ (null));
  palette.current ??= colours();
  useEffect(() => {
    const again = () =>
      // The choice is on the page once all who watch it were told.
      requestAnimationFrame(() => {
        palette.current = colours();
        scene.redraw();
      });
    return shown.watch(again);
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

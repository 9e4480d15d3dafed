/**
 * The graph as a picture that can be moved and made larger. Only what is in sight is in the document, and where names
 * could not be read anyway all nodes of a colour are one path, so that thousands of nodes move smoothly.
 */

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { duration } from "../../data/format.js";
import { hands } from "../../parts/hands.js";
import { linkName } from "./critical.js";
import { unseen } from "./kin.js";
import { Minimap } from "./minimap.js";
import { arrow, curve, mark, nameIn, rectangle, rough } from "./shape.js";
import { jobLook, standingOf } from "./states.js";
import * as looking from "./view.js";

/**
 * @typedef {import("./states.js").Standing & {job: string, x: number, y: number, width: number, height: number, parents?: number,
 *   children?: number}} Node `parents` and `children` are how many it has, in the picture or not
 * @typedef {{from: string, to: string, points: [number, number][]}} Edge
 * @typedef {{nodes: Node[], edges: Edge[], width: number, height: number, total: number, leftOut: number}} Graph
 * @typedef {{ancestors: Set<string>, descendants: Set<string>}} Line
 * @typedef {{show: (job: string) => void, fit: () => void, zoom: (factor: number) => void, move: (x: number, y: number) => void}} Controls
 */

/** Share of the box that is drawn beyond each edge of it, so that small moves draw nothing anew. */
const BEYOND = 0.5;
/** What the mouse only passes by is not lit: the picture would flicker. */
const REST_MS = 70;
/** Nodes that are less high, in CSS pixels, are drawn without a mark: it could not be told from dirt. */
const MARKED = 6;

/**
 * @typedef {object} PictureProps
 * @property {Graph} graph its `nodes` and `edges` are other objects when it was laid out anew, or a state changed
 * @property {string} signature another one when positions are
 * @property {import("./kin.js").Kin} known
 * @property {string | null} anchor the job that is to stay in its place
 * @property {string | null} chosen
 * @property {string | null} lit whose kin is shown
 * @property {Line | null} line the kin of `lit`
 * @property {Set<string> | null} matches what a search found
 * @property {import("./critical.js").CriticalPath | null} critical
 * @property {(job: string | null) => void} choose
 * @property {(job: string | null) => void} light
 * @property {{current: Controls | null}} controls
 */

/** @param {PictureProps} props */
export function Picture(props) {
  const { graph, signature, known, anchor, chosen, lit, line, matches, critical, controls } = props;
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  const layer = useRef(/** @type {SVGSVGElement | null} */ (null));
  const moved = useRef(/** @type {SVGGElement | null} */ (null));
  const base = useRef(/** @type {looking.View} */ ({ scale: 0, x: 0, y: 0 }));
  const glass = useRef(/** @type {((seen: looking.Rect) => void) | null} */ (null));
  const view = useRef(/** @type {looking.View} */ ({ scale: 1, x: 0, y: 0 }));
  const latest = useRef(props);
  latest.current = props;
  const [box, setBox] = useState({ width: 0, height: 0 });
  const size = useRef(box);
  size.current = box;
  const [frame, setFrame] = useState({ rect: { left: 0, top: 0, right: 0, bottom: 0 }, scale: 1, readable: true });
  const drawn = useRef(frame);
  drawn.current = frame;
  const placed = useRef(/** @type {{signature: string, nodes: Node[]} | null} */ (null));

  /** Shows what the view says, and draws anew what has come into sight. */
  const apply = () => {
    const { scale, x, y } = view.current;
    const from = base.current;
    // Drawn anew only when it changes its size: what was drawn is moved as it is, which costs next to nothing.
    if (from.scale !== scale || !layer.current) {
      base.current = view.current;
      moved.current?.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(5)})`);
    }
    if (layer.current) layer.current.style.transform = `translate(${Math.round(x - base.current.x)}px, ${Math.round(y - base.current.y)}px)`;
    const seen = looking.inSight(view.current, size.current, 0);
    glass.current?.(seen);
    const readable = scale >= looking.READABLE;
    const now = drawn.current;
    if (now.readable !== readable || !looking.holds(now.rect, seen) || now.scale > scale * 2 || now.scale < scale / 2) {
      setFrame({ rect: looking.inSight(view.current, size.current, BEYOND), scale, readable });
    }
  };
  const change = (/** @type {looking.View} */ next) => {
    view.current = looking.keepInSight(next, latest.current.graph, size.current);
    apply();
  };
  const least = () => looking.smallest(latest.current.graph, size.current);

  useEffect(() => {
    const svg = element.current;
    if (!svg) return;
    const measured = new ResizeObserver(() => setBox({ width: svg.clientWidth, height: svg.clientHeight }));
    measured.observe(svg);
    const letGo = hands(svg, {
      pan: (x, y) => change({ ...view.current, x: view.current.x + x, y: view.current.y + y }),
      zoom: (factor, x, y) => change(looking.zoomAt(view.current, factor, x, y, least())),
      at: (x, y) => latest.current.choose(nodeAt(x, y)?.job ?? null),
      over(x, y) {
        const job = x === null || y === null ? null : (nodeAt(x, y)?.job ?? null);
        if (job === resting.job) return;
        if (resting.timer) clearTimeout(resting.timer);
        resting = { job, timer: setTimeout(() => latest.current.light(job), REST_MS) };
      },
    });
    let resting = { job: /** @type {string | null} */ (null), timer: /** @type {ReturnType<typeof setTimeout> | null} */ (null) };
    return () => {
      measured.disconnect();
      letGo();
      if (resting.timer) clearTimeout(resting.timer);
    };
  }, []);
  /**
   * @param {number} x of the box
   * @param {number} y
   */
  const nodeAt = (x, y) => {
    const { scale, x: left, y: top } = view.current;
    return looking.nodeAt(latest.current.graph.nodes, (x - left) / scale, (y - top) / scale, 4 / scale);
  };

  useLayoutEffect(() => {
    if (box.width === 0) return;
    const before = placed.current;
    if (!before) {
      const whole = looking.fit(graph, box);
      const first = graph.nodes.find((node) => node.job === (chosen ?? anchor));
      view.current = first && whole.scale < looking.READABLE ? looking.centred(whole, first, box) : looking.opening(whole, graph, box);
    } else if (before.signature !== signature) {
      view.current = looking.anchored(view.current, before.nodes, graph.nodes, box, chosen ?? anchor);
    }
    placed.current = { signature, nodes: graph.nodes };
    drawn.current = { ...drawn.current, scale: -1 };
    apply();
  }, [signature, box.width, box.height]);

  controls.current = {
    show(job) {
      const node = graph.nodes.find((each) => each.job === job);
      if (node) change(looking.centred(view.current, node, size.current));
    },
    fit() {
      change(looking.fit(graph, size.current));
    },
    zoom: (factor) => change(looking.zoomAt(view.current, factor, size.current.width / 2, size.current.height / 2, least())),
    move: (x, y) => change({ ...view.current, x: view.current.x + x, y: view.current.y + y }),
  };

  const curves = useMemo(() => graph.edges.map((edge) => ({ ...edge, text: curve(edge.points) + arrow(edge.points), rough: rough(edge.points), box: around(edge.points) })), [graph.edges]);
  const lines = useMemo(() => sorted(curves, frame, lit, line, critical), [curves, frame, lit, line, critical]);
  const nodes = useMemo(() => graph.nodes.filter((node) => looking.touches(frame.rect, node)), [graph.nodes, frame.rect]);
  const times = useMemo(() => new Map(critical?.stages.map((stage) => [stage.job, stage]) ?? []), [critical]);
  const dimmed = (/** @type {string} */ job) => {
    if (lit && line) return job !== lit && !line.ancestors.has(job) && !line.descendants.has(job);
    return matches ? !matches.has(job) : false;
  };

  return html`<div
    class="picture"
    ref=${element}
    tabindex="0"
    role="application"
    aria-label="graph of ${graph.nodes.length} jobs"
    aria-describedby="graph-keys"
  >
    <svg ref=${layer} class=${frame.readable ? "" : "rough"} width=${box.width} height=${box.height} aria-hidden="true">
      <g ref=${moved}>
        <g class=${lit || matches ? "edges faded" : "edges"}><path d=${lines.plain} /></g>
        <path class="edge up" d=${lines.up} /><path class="edge down" d=${lines.down} /><path class="edge critical" d=${lines.critical} />
        ${frame.readable ? nodes.map((node) => single(node, dimmed(node.job), node.job === chosen, node.job === lit, times.get(node.job), unseen(node, known))) : merged(nodes, dimmed, frame.scale)}
        ${!frame.readable && [chosen, lit].map((job) => outline(nodes.find((node) => node.job === job), frame.scale))}
      </g>
    </svg>
    <${Minimap} graph=${graph} glass=${glass} box=${box} shown=${apply} go=${(/** @type {number} */ x, /** @type {number} */ y) => {
      const { scale } = view.current;
      change({ scale, x: size.current.width / 2 - x * scale, y: size.current.height / 2 - y * scale });
    }} />
  </div>`;
}

/** @param {[number, number][]} points */
function around(points) {
  const across = points.map(([x]) => x);
  const down = points.map(([, y]) => y);
  const x = Math.min(...across);
  const y = Math.min(...down);
  return { x: x - 1, y: y - 1, width: Math.max(...across) - x + 2, height: Math.max(...down) - y + 2 };
}

/**
 * The edges in sight, as one path for each way in which they are drawn.
 * @param {(Edge & {text: string, rough: string, box: {x: number, y: number, width: number, height: number}})[]} curves
 * @param {{rect: looking.Rect, readable: boolean}} frame
 * @param {string | null} lit
 * @param {Line | null} line
 * @param {import("./critical.js").CriticalPath | null} critical
 */
function sorted(curves, { rect, readable }, lit, line, critical) {
  const paths = { plain: "", up: "", down: "", critical: "" };
  for (const { from, to, text: fine, rough: coarse, box } of curves) {
    if (!looking.touches(rect, box)) continue;
    const text = readable ? fine : coarse;
    if (critical?.links.has(linkName(from, to))) paths.critical += text;
    else if (line && (to === lit || line.ancestors.has(to)) && line.ancestors.has(from)) paths.up += text;
    else if (line && (from === lit || line.descendants.has(from)) && line.descendants.has(to)) paths.down += text;
    else paths.plain += text;
  }
  return paths;
}

/**
 * A node with its name.
 * @param {Node} node
 * @param {boolean} dimmed
 * @param {boolean} chosen
 * @param {boolean} lit
 * @param {import("./critical.js").Stage | undefined} stage
 * @param {{before: number, after: number}} more
 */
function single(node, dimmed, chosen, lit, stage, more) {
  const { word, glyph, tone } = jobLook(standingOf(node));
  const classes = `node ${tone} ${dimmed ? "dimmed" : ""} ${chosen ? "chosen" : ""} ${lit ? "lit" : ""} ${stage ? "critical" : ""}`;
  return html`<g key=${node.job} class=${classes} transform="translate(${node.x} ${node.y})">
    <title>${node.job}: ${word}</title>
    <rect width=${node.width} height=${node.height} rx="6" />
    <text class="glyph" x="16" y=${node.height / 2 + 4.5}>${glyph}</text>
    <text x="28" y=${node.height / 2 + 4.5}>${nameIn(node.job, node.width)}</text>
    ${more.before > 0 && html`<text class="beyond" x="0" y=${node.height + 11}>‹ ${more.before} more</text>`}
    ${more.after > 0 && html`<text class="beyond after" x=${node.width} y=${node.height + 11}>${more.after} more ›</text>`}
    ${stage && html`<text class="time" x=${node.width} y="-5">${stage.waitedMs >= 1_000 ? `waited ${duration(stage.waitedMs)}, ` : ""}${duration(stage.tookMs)}</text>`}
  </g>`;
}

/**
 * All nodes of a tone as one path, with a mark so that colour is not all that tells them apart.
 * @param {Node[]} nodes
 * @param {(job: string) => boolean} dimmed
 * @param {number} scale
 */
function merged(nodes, dimmed, scale) {
  /** @type {Map<string, {tone: string, faded: boolean, boxes: string, marks: string}>} */
  const groups = new Map();
  for (const node of nodes) {
    const { tone } = jobLook(standingOf(node));
    const faded = dimmed(node.job);
    const key = `${tone} ${faded ? "dimmed" : ""}`;
    const group = groups.get(key) ?? { tone, faded, boxes: "", marks: "" };
    group.boxes += rectangle(node);
    if (node.height * scale >= MARKED) group.marks += mark(node, tone);
    groups.set(key, group);
  }
  return [...groups].map(
    ([key, { boxes, marks }]) => html`<g key=${key} class="node far ${scale * 34 < MARKED ? "tiny" : ""} ${key}"><path class="boxes" d=${boxes} /><path class="marks" d=${marks} /></g>`,
  );
}

/**
 * @param {Node | undefined} node
 * @param {number} scale
 */
function outline(node, scale) {
  if (!node) return null;
  const beside = 3 / scale;
  return html`<rect
    class="outline"
    x=${node.x - beside}
    y=${node.y - beside}
    width=${node.width + 2 * beside}
    height=${node.height + 2 * beside}
    stroke-width=${2 / scale}
  />`;
}

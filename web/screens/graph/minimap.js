/** All of a graph in a corner, with what is in sight of it. */

import { html, useEffect, useMemo, useRef } from "../../vendor/preact.js";
import { rectangle } from "./shape.js";
import { jobLook, standingOf } from "./states.js";
import { fit } from "./view.js";

const WIDTH = 180;
const HEIGHT = 110;

/**
 * @param {{graph: import("./picture.js").Graph, glass: {current: ((seen: import("./view.js").Rect) => void) | null}, box: import("./view.js").Size,
 *   shown: () => void, go: (x: number, y: number) => void}} props `go` is told a point of the graph; `glass` is
 *   given what tells it what is in sight, `shown` asks for that to be told
 */
export function Minimap({ graph, glass, box, shown, go }) {
  const boxes = useMemo(() => {
    /** @type {Record<string, string>} */
    const paths = {};
    for (const node of graph.nodes) {
      const { tone } = jobLook(standingOf(node));
      paths[tone] = (paths[tone] ?? "") + rectangle(node);
    }
    return paths;
  }, [graph.nodes]);
  const lens = useRef(/** @type {HTMLDivElement | null} */ (null));
  const needed = fit(graph, box).scale < 0.5 && box.width > 640;
  useEffect(shown, [needed]);
  if (!needed) return null;

  const scale = Math.min(WIDTH / graph.width, HEIGHT / graph.height);
  const point = (/** @type {PointerEvent} */ event) => {
    const { left, top } = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    go((event.clientX - left) / scale, (event.clientY - top) / scale);
  };
  const width = Math.max(24, graph.width * scale);
  const height = Math.max(24, graph.height * scale);
  glass.current = (seen) => {
    const pane = lens.current;
    if (!pane) return;
    // Where all is in sight, a second picture of it would only hide some.
    const whole = seen.left <= 0 && seen.top <= 0 && seen.right >= graph.width && seen.bottom >= graph.height;
    pane.parentElement?.classList.toggle("needless", whole);
    const left = Math.max(0, seen.left * scale);
    const top = Math.max(0, seen.top * scale);
    pane.style.transform = `translate(${left}px, ${top}px)`;
    pane.style.width = `${Math.max(4, Math.min(width, seen.right * scale) - left)}px`;
    pane.style.height = `${Math.max(4, Math.min(height, seen.bottom * scale) - top)}px`;
  };
  return html`<div
    class="minimap"
    aria-hidden="true"
    onPointerDown=${(/** @type {PointerEvent} */ event) => {
      /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
      point(event);
    }}
    onPointerMove=${(/** @type {PointerEvent} */ event) => event.buttons === 1 && point(event)}
  >
    <svg width=${width} height=${height} viewBox="0 0 ${graph.width} ${graph.height}" preserveAspectRatio="xMinYMin meet">
      ${Object.entries(boxes).map(([tone, d]) => html`<path key=${tone} class=${tone} d=${d} />`)}
    </svg>
    <div class="glass" ref=${lens}></div>
  </div>`;
}

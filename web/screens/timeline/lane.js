/** One job of a timeline: its name, and what it did and will do. */

import { html, useEffect, useMemo, useRef } from "../../vendor/preact.js";
import { toJob } from "../../shell/route.js";
import { marksOf } from "./axis.js";
import { drawn as drawnOf } from "./bars.js";
import { paint } from "./paint.js";

/**
 * @typedef {{index: number, what: import("./bars.js").Bar | import("./bars.js").Band}} Lit
 */

/**
 * @typedef {object} LaneProps
 * @property {import("./bars.js").Lane | null} lane null while it is asked for
 * @property {number} index
 * @property {boolean} active
 * @property {import("./scene.js").Scene} scene
 * @property {{current: import("./scene.js").Colours}} colours
 * @property {string} zone
 * @property {number} width of what is drawn
 * @property {number} height of it
 * @property {number} row height of all of the row
 * @property {{current: Lit | null}} lit
 * @property {Map<number, import("./bars.js").Drawn>} shown where it tells what it draws
 */

/** @param {LaneProps} props */
export function LaneRow(props) {
  const { lane, index, active, scene, width, height, row, shown } = props;
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const latest = useRef(props);
  latest.current = props;
  const made = useMemo(() => ({ drawn: lane && drawnOf(lane, Date.now()), at: Date.now() }), [lane]);

  useEffect(() => {
    const draw = () => {
      const element = canvas.current;
      const context = element?.getContext("2d");
      const { lane: current, scene: { get }, colours, zone, width: wide, height: high, lit, index: place } = latest.current;
      if (!element || !context || wide === 0) return;
      const now = Date.now();
      // What goes on grows; the rest is where it was.
      if (current && made.drawn?.live && now - made.at >= 900) {
        made.drawn = drawnOf(current, now);
        made.at = now;
      }
      if (made.drawn) shown.set(place, made.drawn);
      const ratio = devicePixelRatio || 1;
      if (element.width !== Math.round(wide * ratio) || element.height !== Math.round(high * ratio)) {
        element.width = Math.round(wide * ratio);
        element.height = Math.round(high * ratio);
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const window = get();
      const { ticks, midnights } = marksOf(window, zone, wide);
      const chosen = lit.current?.index === place ? lit.current.what : null;
      paint({ context, width: wide, height: high, colours: colours.current, window, now, ticks, midnights, drawn: made.drawn, lane: current, lit: chosen });
    };
    draw();
    const stop = scene.watch(draw);
    return () => {
      stop();
      shown.delete(index);
    };
  }, [lane, index, scene, width, height, made, props.zone]);

  const more = lane && (lane.runsLeftOut || lane.aheadLeftOut);
  return html`<div class="lane ${active ? "active" : ""}" role="row" aria-rowindex=${index + 1} style=${{ height: `${row}px` }}>
    <span class="lane-name" role="rowheader">
      ${lane ? html`<a href=${toJob(lane.job)} title="${lane.job}\n${lane.words}">${lane.job}</a>` : html`<span class="none">…</span>`}
      ${more && html`<small class="more" title=${leftOut(lane)} aria-label=${leftOut(lane)}>⋯</small>`}
    </span>
    <canvas ref=${canvas} class="lane-time" role="cell" aria-label=${lane ? sentence(lane) : "asked for"} style=${{ height: `${height}px` }}></canvas>
  </div>`;
}

/** @param {import("./bars.js").Lane} lane */
function leftOut({ runsLeftOut, aheadLeftOut }) {
  const parts = [];
  if (runsLeftOut) parts.push(typeof runsLeftOut === "number" ? `${runsLeftOut} older runs` : "older runs");
  if (aheadLeftOut) parts.push("later starts");
  return `${parts.join(" and ")} are not shown: there are too many; look at a shorter time`;
}

/** @param {import("./bars.js").Lane} lane */
function sentence({ runs, ahead, stretches }) {
  const left = stretches.reduce((sum, each) => sum + each.count, 0);
  return `${runs.length} runs, ${left} occurrences without one, ${ahead.length} starts to come; the table has them one by one`;
}

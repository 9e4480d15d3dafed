/** The load as bars over time. Drawn by uPlot; a part that is dragged over becomes what is shown. */

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { clock, counted, day, duration, exact } from "../../data/format.js";
import { colours as shown } from "../../data/preferences.js";
import { plot } from "../../parts/plot.js";
import { colours } from "../timeline/scene.js";
import { marksOf } from "../timeline/axis.js";

const DAY = 86_400_000;
const HEIGHT = 220;

/**
 * @typedef {object} ChartProps
 * @property {import("./load.js").Bar[]} bars
 * @property {number} size how long the time of a bar is
 * @property {number} unit what is counted: minutes, or hours
 * @property {number} from
 * @property {number} to
 * @property {string} zone
 * @property {number} width
 * @property {{at: number, by: number}[]} changes of clocks
 * @property {(from: number, to: number) => void} select
 */

/** @param {ChartProps} props */
export function Chart(props) {
  const { bars, size, unit, from, to, zone, width, changes } = props;
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  const latest = useRef(props);
  latest.current = props;
  const [pointed, setPointed] = useState(/** @type {number | null} */ (null));
  const [painted, setPainted] = useState(0);
  const [uPlot, setPlot] = useState(/** @type {import("../../parts/plot.js").Plot | null} */ (null));

  useEffect(() => {
    // Without a picture the table says the same.
    plot().then((made) => setPlot(() => made), () => {});
  }, []);

  useEffect(() => {
    const again = () => requestAnimationFrame(() => setPainted((turn) => turn + 1));
    return shown.watch(again);
  }, []);

  useEffect(() => {
    const target = element.current;
    if (!target || !uPlot || width === 0) return;
    const shades = colours();
    const most = Math.max(...bars.map((bar) => bar.most));
    const axis = { stroke: shades.soft, font: "11px system-ui, sans-serif", grid: { stroke: shades.line, width: 1 }, ticks: { stroke: shades.line, width: 1, size: 4 } };
    const middle = size / 2_000;
    const chart = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [8, 40, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        scales: { x: { time: false, range: [from / 1_000, to / 1_000] }, y: { range: (_, __, top) => [0, Math.max(2, Math.ceil(top * 1.08))] } },
        series: [
          {},
          {
            stroke: shades.running,
            fill: shades.running,
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars({
              size: [0.82, 60],
              disp: { fill: { unit: 3, values: () => bars.map((bar) => (bar.most === most && most > 1 ? shades.late : shades.running)) } },
            }),
          },
        ],
        axes: [
          {
            ...axis,
            size: 34,
            space: 60,
            splits: () => marksOf({ from, to }, zone, width - 84).ticks.map((at) => at / 1_000),
            values: (_, splits) => splits.map((at, index) => tick(at * 1_000, zone, marksOf({ from, to }, zone, width - 84).step, index)),
          },
          { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000] },
        ],
        hooks: {
          draw: [(made) => lines(made, changes, shades)],
          setCursor: [(made) => setPointed(made.cursor.idx)],
          setSelect: [
            (made) => {
              const { left, width: wide } = made.select;
              if (wide < 6) return;
              const first = made.posToVal(left, "x") * 1_000;
              const last = made.posToVal(left + wide, "x") * 1_000;
              made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              latest.current.select(first, last);
            },
          ],
        },
      },
      // In the middle of its time, where the bar is.
      [bars.map((bar) => bar.at / 1_000 + middle), bars.map((bar) => bar.most)],
      target,
    );
    return () => chart.destroy();
  }, [bars, size, from, to, zone, width, changes, painted, uPlot]);

  const bar = pointed === null ? null : bars[pointed];
  const one = unit === 60_000 ? "minute" : "hour";
  return html`<figure class="load" aria-hidden="true">
    <figcaption>
      ${size === unit ? `Starts in each ${one}` : `Most starts in one ${one}, of each ${duration(size)}`}. Drag over a part to see only that.
    </figcaption>
    <div ref=${element}></div>
    <p class="pointed">
      ${bar
        ? html`<b>${exact(bar.at, zone).slice(0, 16)}</b> ${counted(bar.total, "start")}${bar.most !== bar.total ? `, at most ${bar.most} at ${clock(bar.mostAt, zone)}` : ""}${bar.jobs.length ? `: ${bar.jobs.slice(0, 4).join(", ")}${bar.jobs.length > 4 ? " …" : ""}` : ""}`
        : " "}
    </p>
  </figure>`;
}

/**
 * @param {number} at
 * @param {string} zone
 * @param {number} step
 * @param {number} index
 */
function tick(at, zone, step, index) {
  const time = clock(at, zone);
  const date = day(at, zone);
  if (step >= DAY) return index === 0 || date.endsWith("01-01") ? `${date.slice(9)}\n${date.slice(4, 8)}` : date.slice(9);
  return time === "00:00" || index === 0 ? `${time}\n${date}` : time;
}

/**
 * Where clocks change.
 * @param {InstanceType<import("../../parts/plot.js").Plot>} chart
 * @param {{at: number, by: number}[]} changes
 * @param {import("../timeline/scene.js").Colours} shades
 */
function lines(chart, changes, shades) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = shades.late;
  ctx.fillStyle = shades.late;
  ctx.lineWidth = devicePixelRatio;
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at, by } of changes) {
    const x = chart.valToPos(at / 1_000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(`DST ${by > 0 ? "+" : "−"}${duration(by)}`, x + 4 * devicePixelRatio, bbox.top + 2 * devicePixelRatio);
  }
  ctx.restore();
}

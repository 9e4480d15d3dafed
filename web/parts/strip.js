/** The last runs of a job at a glance: a strip of states, and a curve of how long they took. */

import { html } from "../vendor/preact.js";
import { duration, exact, millis } from "../data/format.js";
import { toRun } from "../shell/route.js";
import { look, standing } from "./state.js";
import { useZone } from "./time.js";

/**
 * @typedef {{run: string | null, state: string, verdict: string | null, dueAt: string | null, startedAt: string | null,
 *   endedAt: string | null, tookMs: number | null, why: string | null, count: number}} Recent
 */

/**
 * @param {{recent: Recent[], length?: number}} props
 */
export function Strip({ recent, length = 20 }) {
  const zone = useZone();
  const shown = recent.slice(-length);
  return html`<span class="strip">
    ${shown.map((run) => {
      const { word, glyph, tone } = look(standing(run));
      const took = run.tookMs === null ? "" : `, ${duration(run.tookMs)}`;
      const times = run.count > 1 ? ` ${run.count} times` : "";
      const title = `${word}${times}${took}${run.dueAt ? `\ndue ${exact(millis(run.dueAt), zone)}${zone && ` ${zone}`}` : ""}`;
      return run.run
        ? html`<a class="cell ${tone}" href=${toRun(run.run)} title=${title} aria-label=${title}>${glyph}</a>`
        : html`<span class="cell ${tone}" title=${title} aria-label=${title} role="img">${glyph}</span>`;
    })}
  </span>`;
}

/**
 * @param {{values: (number | null)[], width?: number, height?: number}} props lengths in milliseconds, oldest first
 */
export function Sparkline({ values, width = 90, height = 22 }) {
  const known = values.map((value, index) => ({ value, index })).filter((each) => each.value !== null);
  if (known.length < 2) return html`<span class="none">–</span>`;
  const most = Math.max(...known.map((each) => Number(each.value)), 1);
  const step = width / Math.max(1, values.length - 1);
  const points = known.map(({ value, index }) => [index * step, height - 2 - (Number(value) / most) * (height - 4)]);
  const text = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const last = points[points.length - 1];
  const label = `took ${known.map((each) => duration(Number(each.value))).slice(-3).join(", ")} lately, at most ${duration(most)}`;
  return html`<svg class="sparkline" width=${width} height=${height} role="img" aria-label=${label}>
    <title>${label}</title>
    <polyline points=${text} />
    <circle cx=${last[0].toFixed(1)} cy=${last[1].toFixed(1)} r="2" />
  </svg>`;
}

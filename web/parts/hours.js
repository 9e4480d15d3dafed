/** How many starts each of the next hours has. */

import { html } from "../vendor/preact.js";
import { clock, counted, millis } from "../data/format.js";
import { toForecast } from "../shell/route.js";

const HOUR = 3_600_000;
const WIDTH = 360;
const HEIGHT = 56;

/**
 * How many starts each hour of a forecast has, from the one it begins in.
 * @param {{from: string, to: string, perHour: {hour: string, count: number}[]}} forecast
 * @returns {{at: number, count: number}[]}
 */
export function perHour(forecast) {
  const first = Math.floor(millis(forecast.from) / HOUR) * HOUR;
  const length = Math.max(1, Math.ceil((millis(forecast.to) - first) / HOUR));
  const hours = Array.from({ length }, (_, index) => ({ at: first + index * HOUR, count: 0 }));
  for (const { hour, count } of forecast.perHour) {
    const found = hours[(millis(hour) - first) / HOUR];
    if (found) found.count = count;
  }
  return hours;
}

/** @param {{forecast: any, zone: string}} props */
export function HourBars({ forecast, zone }) {
  const hours = perHour(forecast);
  const most = Math.max(1, ...hours.map((hour) => hour.count));
  const step = WIDTH / hours.length;
  return html`<svg class="hours" viewBox="0 0 ${WIDTH} ${HEIGHT + 14}" role="group" aria-label="starts per hour: at most ${most}">
    ${hours.map(({ at, count }, index) => {
      const height = count === 0 ? 0 : Math.max(2, (count / most) * HEIGHT);
      return html`<a href=${toForecast(at)} key=${at} aria-label="${clock(at, zone)}: ${counted(count, "start")}">
        <rect class="hit" x=${index * step} y="0" width=${step} height=${HEIGHT} />
        <rect class="bar-of" x=${index * step + 1} y=${HEIGHT - height} width=${step - 2} height=${height} rx="1.5" />
        <title>${clock(at, zone)}: ${counted(count, "start")}</title>
      </a>`;
    })}
    ${hours.map(({ at }, index) => index % 6 === 0 && html`<text key=${`t${at}`} x=${index * step + 1} y=${HEIGHT + 12}>${clock(at, zone).slice(0, 5)}</text>`)}
  </svg>`;
}

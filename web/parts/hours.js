/** How many starts each of the next hours has. */

import { html } from "../vendor/preact.js";
import { clock, counted, millis } from "../data/format.js";
import { toForecast } from "../shell/route.js";

const HOUR = 3_600_000;
const WIDTH = 360;
const HEIGHT = 56;

/**
 * Sums of the minutes of a forecast, by the hours from its beginning.
 * @param {{from: string, to: string, perMinute: {minute: string, count: number}[]}} forecast
 * @returns {number[]}
 */
export function perHour(forecast) {
  const from = millis(forecast.from);
  const hours = Math.max(1, Math.ceil((millis(forecast.to) - from) / HOUR));
  const sums = new Array(hours).fill(0);
  for (const { minute, count } of forecast.perMinute) {
    const hour = Math.floor((millis(minute) - from) / HOUR);
    sums[Math.min(hours - 1, Math.max(0, hour))] += count;
  }
  return sums;
}

/** @param {{forecast: any, zone: string}} props */
export function HourBars({ forecast, zone }) {
  const sums = perHour(forecast);
  const most = Math.max(1, ...sums);
  const step = WIDTH / sums.length;
  const from = millis(forecast.from);
  const label = `starts per hour: at most ${most}`;
  return html`<svg class="hours" viewBox="0 0 ${WIDTH} ${HEIGHT + 14}" role="group" aria-label=${label}>
    ${sums.map((sum, hour) => {
      const height = sum === 0 ? 0 : Math.max(2, (sum / most) * HEIGHT);
      const at = from + hour * HOUR;
      return html`<a href=${toForecast(at)} key=${hour}>
        <rect class="hit" x=${hour * step} y="0" width=${step} height=${HEIGHT} />
        <rect class="bar-of" x=${hour * step + 1} y=${HEIGHT - height} width=${step - 2} height=${height} rx="1.5" />
        <title>${clock(at, zone)}: ${counted(sum, "start")}</title>
      </a>`;
    })}
    ${sums.map((_, hour) => hour % 6 === 0 && html`<text key=${`t${hour}`} x=${hour * step + 1} y=${HEIGHT + 12}>${clock(from + hour * HOUR, zone).slice(0, 5)}</text>`)}
  </svg>`;
}

/** The last runs of a job: a bar for each, as high as it took long, with its verdict below. */

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { counted, duration, exact, millis } from "../../data/format.js";
import { useNow } from "../../data/present.js";
import { look, standing, why } from "../../parts/state.js";
import { useZone } from "../../parts/time.js";
import { toRun } from "../../shell/route.js";
import { chart } from "./bars.js";

/** @param {{entries: any[]}} props */
export function Durations({ entries }) {
  const now = useNow();
  const zone = useZone();
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const { bars, top, median } = chart(entries, standing, now);
  useEffect(() => {
    // The newest are what one looks for.
    if (box.current) box.current.scrollLeft = box.current.scrollWidth;
  }, [bars.length]);

  return html`<figure class="durations">
    <figcaption>
      <span>last ${counted(entries.length, "entry", "entries")}, oldest left</span>
      ${median !== null && html`<span>median ${duration(median)}, full height ${duration(top)}</span>`}
    </figcaption>
    <div class="ground">
    ${median !== null && html`<span class="median" style=${{ bottom: `calc(17px + (100% - 17px) * ${(median / top).toFixed(3)})` }} aria-hidden="true"></span>`}
    <div class="plot" ref=${box} tabindex="0" role="group" aria-label="how long the last runs took">
      ${bars.map((bar) => {
        const { word, glyph, tone } = look(bar.state);
        const label = [
          bar.count > 1 ? `${word} ${bar.count} times` : word,
          bar.tookMs === null ? "" : duration(bar.tookMs),
          bar.why ? why(bar.why) : "",
          bar.dueAt ? `due ${exact(millis(bar.dueAt), zone)}` : "",
        ]
          .filter(Boolean)
          .join(", ");
        const inside = html`<span class="column" style=${{ height: `calc((100% - 15px) * ${bar.share.toFixed(3)})` }}></span><span class="glyph" aria-hidden="true">${glyph}</span>`;
        return bar.run
          ? html`<a class=${tone} key=${bar.run} href=${toRun(bar.run)} title=${label} aria-label=${label}>${inside}</a>`
          : html`<span class=${tone} role="img" title=${label} aria-label=${label}>${inside}</span>`;
      })}
    </div>
    </div>
  </figure>`;
}

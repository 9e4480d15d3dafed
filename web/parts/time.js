/** Instants and lengths of time as readers want them. */

import { html, createContext, useContext, useEffect, useState } from "../vendor/preact.js";
import { clock, day, duration, exact, fully, millis, relative } from "../data/format.js";
import { useNow } from "../data/present.js";
import { zone } from "../data/preferences.js";

/** The zone of the job that is shown; empty where there is none. */
export const JobZone = createContext("");

const OWN = Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * Such a zone has to be named, as it is not the reader's own.
 * @param {string} shownIn
 */
export const foreign = (shownIn) => (shownIn === OWN ? "" : shownIn);

/** The zone in which instants are shown here; empty is the reader's own. */
export function useZone() {
  const [choice, setChoice] = useState(zone.get());
  useEffect(() => zone.watch(setChoice), []);
  const ofJob = useContext(JobZone);
  if (choice === "utc") return "UTC";
  return choice === "job" ? ofJob || "UTC" : "";
}

/**
 * How long ago or ahead, with the exact instant on hover and for screen readers.
 * @param {{at: string | number | null, none?: string, exactly?: boolean}} props `exactly`: the instant is the text
 */
export function When({ at, none = "–", exactly = false }) {
  const now = useNow();
  const shownIn = useZone();
  if (at === null || at === undefined) return html`<span class="none">${none}</span>`;
  const value = typeof at === "number" ? at : millis(at);
  const words = relative(value, now);
  const full = `${fully(value, shownIn)}${shownIn !== "UTC" ? `\n${fully(value, "UTC")}` : ""}`;
  const today = day(value, shownIn) === day(now, shownIn);
  const short = today ? clock(Math.floor(value / 1000) * 1000, shownIn) : exact(value, shownIn).slice(0, 16);
  const named = foreign(shownIn) && html` <small>${shownIn}</small>`;
  return exactly
    ? html`<time datetime=${new Date(value).toISOString()} title="${words}\n${full}">${short}${named}</time>`
    : html`<time datetime=${new Date(value).toISOString()} title=${full}>${words}</time>`;
}

/**
 * A length of time that goes on while there is no end.
 * @param {{from: string | null, to?: string | null}} props
 */
export function Lasting({ from, to = null }) {
  const now = useNow();
  if (!from) return html`<span class="none">–</span>`;
  const length = (to ? millis(to) : now) - millis(from);
  return html`<span class=${to ? "" : "going"}>${duration(Math.max(0, length))}</span>`;
}

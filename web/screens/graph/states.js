/** How a job stands, as a node shows it, and what an event changes in that. Pure. */

/**
 * @typedef {{state: string, status: string, disabled: boolean, paused: boolean, nextDue: string | null, lastRun: string | null}} Standing
 * @typedef {{word: string, glyph: string, tone: string}} Look
 */

/** @type {Record<string, Look>} */
const LOOKS = {
  running: { word: "running", glyph: "▶", tone: "running" },
  queued: { word: "waits to start", glyph: "≡", tone: "late" },
  disabled: { word: "disabled", glyph: "⊘", tone: "quiet" },
  paused: { word: "paused", glyph: "‖", tone: "late" },
  failure: { word: "last failed", glyph: "✕", tone: "bad" },
  success: { word: "last succeeded", glyph: "✓", tone: "good" },
  fresh: { word: "never ran", glyph: "○", tone: "quiet" },
};

/** The order in which the key explains them. */
export const SHOWN = ["running", "queued", "success", "failure", "paused", "disabled", "fresh"];

/**
 * What is told of a job first: what happens, then what keeps it from happening, then how it went.
 * @param {Standing} standing
 * @returns {string} a key of {@link jobLook}
 */
export function standingOf({ state, status, disabled, paused }) {
  if (state === "running" || state === "queued") return state;
  if (disabled) return "disabled";
  if (paused) return "paused";
  return status in LOOKS ? status : "fresh";
}

/**
 * @param {string} key
 * @returns {Look}
 */
export const jobLook = (key) => LOOKS[key] ?? LOOKS.fresh;

/** @type {Record<string, string>} */
const STATE_AFTER = {
  recorded: "queued", queued: "queued", pending: "queued", takenBack: "queued", waiting: "queued",
  placed: "running", started: "running", found: "running", stopping: "running", unknown: "running", reporting: "running",
};

/**
 * What a node shows after an event, until the server is asked again: it alone counts the runs that go on beside.
 * @template {Standing} S
 * @param {S} standing
 * @param {import("../../data/stream.js").Event} event of the kind `run` and of this job
 * @returns {S} the same object where nothing changes
 */
export function after(standing, event) {
  if (event.what === "ended") {
    // Only what succeeded or failed counts; what was killed, skipped or missed leaves the status as it was.
    const status = event.verdict === "succeeded" ? "success" : event.verdict === "failed" || event.verdict === "lost" ? "failure" : standing.status;
    return { ...standing, state: "idle", status, lastRun: event.run ?? standing.lastRun };
  }
  const state = STATE_AFTER[event.what ?? ""];
  if (!state) return standing;
  // One run waits while another goes on: what goes on is told.
  if (state === "queued" && standing.state === "running") return event.what === "waiting" || event.what === "takenBack" ? { ...standing, state } : standing;
  if (standing.state === state && standing.lastRun === event.run) return standing;
  return { ...standing, state, lastRun: event.run ?? standing.lastRun };
}

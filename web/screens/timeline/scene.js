/** What all lanes of a timeline share: the window, and who draws it. Moving it renders nothing; those who draw are told once a frame. */

/**
 * @typedef {import("./window.js").Window} Window
 * @typedef {{get: () => Window, set: (window: Window) => void, redraw: () => void, watch: (draw: () => void) => () => void}} Scene
 */

/**
 * @param {Window} first
 * @returns {Scene}
 */
export function makeScene(first) {
  let window = first;
  let planned = 0;
  /** @type {Set<() => void>} */
  const watchers = new Set();
  const redraw = () => {
    planned ||= requestAnimationFrame(() => {
      planned = 0;
      for (const draw of watchers) draw();
    });
  };
  return {
    get: () => window,
    set(next) {
      window = next;
      redraw();
    },
    redraw,
    watch(draw) {
      watchers.add(draw);
      return () => void watchers.delete(draw);
    },
  };
}

/**
 * @typedef {{[name: string]: string}} Colours
 */

const NAMES = [
  "surface", "raised", "line", "strong-line", "text", "soft", "accent", "focus",
  "good", "bad", "running", "late", "missed", "stopped", "quiet",
  "good-ground", "bad-ground", "running-ground", "late-ground", "missed-ground", "stopped-ground", "quiet-ground",
];

/**
 * The colours of the theme that is shown, for what is drawn without style sheets.
 * @returns {Colours}
 */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

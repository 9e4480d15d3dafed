/** uPlot, which comes as a script that leaves a global behind: fetched when the first chart is drawn. */

/** @typedef {typeof import("../vendor/uplot.iife.js").default} Plot */

/** @type {Promise<Plot> | null} */
let library = null;

/** @returns {Promise<Plot>} */
export function plot() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../vendor/uplot.iife.js", import.meta.url).href;
    script.onload = () => resolve(/** @type {any} */ (globalThis).uPlot);
    script.onerror = () => {
      library = null;
      reject(new Error("the chart library did not come"));
    };
    document.head.append(script);
  });
  return library;
}

/**
 * How fast the page is: `node speed.js URL`, against a server that has what it is to be measured with. `benches/page.rs`
 * makes one. Each figure is the median of some rounds, in a browser that has nothing of the page yet where it says cold.
 */

import { Browser } from "./support/browser.js";

const ROUNDS = 7;
const [url] = process.argv.slice(2);
const server = { url };
const browser = await Browser.start();

const ask = async (path) => (await fetch(`${url}/scheduler/${path}`)).json();
const { runs } = await ask("runs?limit=1");
const { counts } = await ask("overview?limit=0");
const run = runs[0];

/**
 * @param {string} what
 * @param {() => Promise<number>} measure milliseconds
 */
async function row(what, measure) {
  const took = [];
  for (let round = 0; round < ROUNDS; round += 1) took.push(await measure());
  took.sort((one, other) => one - other);
  const show = (value) => value.toFixed(0).padStart(6);
  console.log(`| ${what.padEnd(62)} | ${show(took[Math.floor(ROUNDS / 2)])} | ${show(took[0])} | ${show(took[ROUNDS - 1])} |`);
}

/** Opens a view in a new profile; until `selector` is there, by the page's own clock. */
const cold = (hash, selector) => async () => {
  const page = await browser.open(server, hash);
  await page.locator(selector).first().waitFor();
  const took = await page.evaluate(() => performance.now());
  await page.context().close();
  return took;
};

const page = await browser.open(server, "#/now");
await page.locator(".tile").first().waitFor();

/** Goes to a view of the page that is open; until `selector` is there and nothing is still asked for. */
const warm = (hash, selector, before = "#/cluster") => async () => {
  await page.evaluate((to) => (location.hash = to), before);
  await page.waitForFunction(() => document.querySelectorAll("[aria-busy=true]").length === 0);
  return page.evaluate(
    ([to, wanted]) =>
      new Promise((resolve) => {
        const begun = performance.now();
        const look = () => {
          if (location.hash === to && document.querySelector(wanted)) resolve(performance.now() - begun);
          else requestAnimationFrame(look);
        };
        location.hash = to;
        look();
      }),
    [hash, selector],
  );
};

console.log(`${counts.all} jobs; newest run ${run.id}\n`);
console.log(`| ${"what is looked at".padEnd(62)} | median ms |  best | worst |`);
console.log("|---|---:|---:|---:|");
await row("first view, cold: Now with its counts", cold("#/now", ".tile b"));
await row("list of jobs, cold: the first rows", cold("#/jobs", ".job-row:not(.job-row-head) .state"));
await row("list of jobs", warm("#/jobs", ".job-row:not(.job-row-head) .state"));
await row("list filtered by a part of a name", warm("#/jobs?search=0999", ".job-row:not(.job-row-head) .state"));
await row("list of what fails, by next run", warm("#/jobs?state=failing&sort=nextDue", ".job-row:not(.job-row-head) .state, .empty"));
await row("list from key to rows: typed into the search", async () => {
  await warm("#/jobs", ".job-row:not(.job-row-head) .state")();
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const field = document.querySelector("[data-search]");
        const begun = performance.now();
        field.value = "job-0777";
        field.dispatchEvent(new Event("input", { bubbles: true }));
        const look = () => {
          const first = document.querySelector(".job-row:not(.job-row-head) a");
          if (first?.textContent.startsWith("job-0777")) resolve(performance.now() - begun);
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
});
await row("list scrolled to its middle", async () => {
  await warm("#/jobs", ".job-row:not(.job-row-head) .state")();
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const rows = document.querySelector(".rows");
        const begun = performance.now();
        rows.scrollTop = rows.scrollHeight / 2;
        const look = () => {
          const shown = [...document.querySelectorAll(".job-row:not(.job-row-head) a")].map((each) => each.textContent);
          if (shown.length > 0 && shown[0] > "job-01") resolve(performance.now() - begun);
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
  );
});
await row("job", warm(`#/job/${run.job}`, ".job-head .why"));
await row("run with its log", warm(`#/run/${encodeURIComponent(run.id)}`, ".run-screen .log"));
await row("timeline of a day", warm("#/timeline?span=24h", ".lane"));
await row("history: newest runs", warm("#/history", ".history-row .state"));
await row("history: failed", warm("#/history?verdict=failed", ".history-row .state"));
await row("forecast of a day", warm("#/forecast", ".u-over, canvas"));
await row("graph around one job", warm("#/graph?job=job-000008", "svg, canvas"));

await browser.settle();
await browser.stop();

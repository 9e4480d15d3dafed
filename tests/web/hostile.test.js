/** Whatever jobs are called and print, it is text. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { shown } from "./support/browser.js";
import { suite } from "./support/suite.js";

const MARKUP = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`;
/** The oddest that a name may be: it has what ends an address, and what separates words. */
const NAME = "#a.. b--#c?".slice(0, -1);
const LONG = `long.${"n".repeat(120)}`;

/** What the tests look at, made once. */
const held = suite({}, async (server) => {
  await server.put(hostile(NAME));
  await server.put({ name: LONG, command: `echo ${"x".repeat(5_000)}`, description: "d".repeat(3_000), owner: "o".repeat(300) });
  const run = await server.run(NAME);
  const longRun = await server.run(LONG);
  await Promise.all([run, longRun].map((each) => server.over(each)));
  return { run, longRun };
});

/** A job that says markup in every place where it may say anything. */
function hostile(name) {
  const quoted = `'${MARKUP.replaceAll("'", "'\\''")}'`;
  const said = { owner: `"${MARKUP}"@example.org`, ownerName: MARKUP, description: MARKUP };
  return { name, command: `printf '%s\\n' ${quoted}; printf '%s\\n' ${quoted} >&2; exit 3`, retries: 0, ...said };
}

test("a name cannot be markup to begin with", async () => {
  for (const name of [MARKUP, "<b>x", "a&b", `a"b`, "a'b", "a{{b}}", "a/b"]) {
    await assert.rejects(held.server.put({ name, command: "true" }), /: 400 /, name);
  }
});

const screens = () => {
  const job = encodeURIComponent(NAME);
  return [
    "#/now", "#/jobs", `#/jobs?search=${encodeURIComponent(MARKUP)}`, `#/job/${job}`, `#/job/${job}?tab=history`,
    `#/job/${job}?tab=definition`, `#/job/${job}?tab=revisions`, `#/job/${job}?tab=explain`, `#/edit/${job}`,
    `#/run/${held.made.run}`, `#/run/${held.made.run}?tab=attempts`, `#/run/${held.made.run}?tab=lineage`, `#/run/${held.made.run}?tab=environment`,
    `#/graph?job=${job}`, "#/timeline", "#/history", "#/forecast", "#/alerts", "#/audit", "#/backfill", "#/cluster",
    `#/job/${LONG}`, `#/run/${held.made.longRun}`, `#/${encodeURIComponent(MARKUP)}`,
  ];
};

test("no text of a job becomes markup on any screen", async () => {
  for (const hash of screens()) {
    const page = await held.browser.open(held.server, hash);
    await page.locator("#content").waitFor();
    await shown(page);
    assert.equal(await page.locator("#app img, #app script, #app b:has-text('x')[onerror]").count(), 0, hash);
    assert.notEqual(await page.title(), "broken", hash);
    await held.browser.settle();
  }
});

test("nothing is wider than the window, however long a name is", async () => {
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    for (const hash of ["#/now", "#/jobs", `#/job/${LONG}`, `#/run/${held.made.longRun}`, "#/history", "#/timeline", "#/alerts"]) {
      const page = await held.browser.open(held.server, hash, { viewport });
      await page.locator("#content").waitFor();
      await shown(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${hash} at ${viewport.width}: ${wide} too wide`);
      await held.browser.settle();
    }
  }
});

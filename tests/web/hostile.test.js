/** Whatever jobs are called and print, it is text. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { suite } from "./support/suite.js";

const held = suite();

const MARKUP = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`;
/** Names of 2.x take nearly everything but quotes and slashes. */
const NAME = `<b>x</b><img src=x onerror=alert(1)>`.replaceAll("/", "-");
const LONG = `long.${"n".repeat(120)}`;

before(async () => {
  const { server } = held;
  const names = await Promise.all(
    [NAME, "a{{constructor.constructor('alert(1)')()}}", "javascript:alert(1)"].map((name) =>
      server.put({ name, command: `printf '%s\\n' '${MARKUP.replaceAll("'", "'\\''")}'; printf '%s\\n' '${MARKUP.replaceAll("'", "'\\''")}' >&2; exit 3`,
        owner: `"${MARKUP}"@example.org`, ownerName: MARKUP, description: MARKUP, retries: 0 }).then(() => name, () => null),
    ),
  );
  held.names = names.filter((name) => name !== null);
  await server.put({ name: LONG, command: `echo ${"x".repeat(5_000)}`, description: "d".repeat(3_000), owner: "o".repeat(300) });
  held.run = await server.run(held.names[0] ?? LONG);
  await server.over(held.run);
  held.longRun = await server.run(LONG);
  await server.over(held.longRun);
});

test("at least one hostile name is taken by the server, or this file tests nothing", () => {
  assert.ok(held.names.length > 0);
});

const screens = () => {
  const [name] = held.names;
  const job = encodeURIComponent(name);
  return [
    "#/now", "#/jobs", `#/jobs?search=${encodeURIComponent(MARKUP)}`, `#/job/${job}`, `#/job/${job}?tab=history`,
    `#/job/${job}?tab=definition`, `#/job/${job}?tab=revisions`, `#/job/${job}?tab=explain`, `#/edit/${job}`,
    `#/run/${held.run}`, `#/run/${held.run}?tab=attempts`, `#/run/${held.run}?tab=lineage`, `#/run/${held.run}?tab=environment`,
    `#/graph?job=${job}`, "#/timeline", "#/history", "#/forecast", "#/alerts", "#/audit", "#/backfill", "#/cluster",
    `#/job/${LONG}`, `#/run/${held.longRun}`, `#/${encodeURIComponent(MARKUP)}`,
  ];
};

test("no text of a job becomes markup on any screen", async () => {
  for (const hash of screens()) {
    const page = await held.browser.open(held.server, hash);
    await page.locator("#content").waitFor();
    await page.locator("[aria-busy=true]").waitFor({ state: "detached" });
    assert.equal(await page.locator("#app img, #app script, #app b:has-text('x')[onerror]").count(), 0, hash);
    assert.notEqual(await page.title(), "broken", hash);
    await held.browser.settle();
  }
});

test("nothing is wider than the window, however long a name is", async () => {
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    for (const hash of ["#/now", "#/jobs", `#/job/${LONG}`, `#/run/${held.longRun}`, "#/history", "#/timeline", "#/alerts"]) {
      const page = await held.browser.open(held.server, hash, { viewport });
      await page.locator("#content").waitFor();
      await page.locator("[aria-busy=true]").waitFor({ state: "detached" });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${hash} at ${viewport.width}: ${wide} too wide`);
      await held.browser.settle();
    }
  }
});

/** The server goes and comes back while the page is open. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./support/server.js";
import { suite } from "./support/suite.js";

const held = suite();

test("the page says that it is stale, and is in order again by itself after a restart", async () => {
  await held.server.put({ name: "before", command: "true" });
  const page = await held.browser.open(held.server, "#/jobs");
  await page.getByRole("link", { name: "before", exact: true }).waitFor();
  await held.server.kill();
  // How old it is, is not read out each second.
  await page.getByRole("status").getByText("The server is not heard from. Trying again.", { exact: true }).waitFor();
  await page.getByText(/What is shown is .* old/).waitFor();
  await page.getByRole("link", { name: "before", exact: true }).waitFor();
  held.server = await held.server.again();
  await held.server.put({ name: "after", command: "true" });
  await page.getByText("The server is not heard from").waitFor({ state: "detached" });
  await page.getByRole("link", { name: "after", exact: true }).waitFor();
  // What is shown now is live.
  await held.server.put({ name: "later", command: "true" });
  await page.getByRole("link", { name: "later", exact: true }).waitFor();
});

test("a page that is opened while the server is away begins when it is there", async () => {
  const page = await held.browser.open(held.server, "#/now");
  await page.getByRole("heading", { name: "Now" }).waitFor();
  await held.server.kill();
  await page.goto(`${held.server.url}/#/jobs`).catch(() => {});
  held.server = await held.server.again();
  await page.reload();
  await page.getByRole("link", { name: "before", exact: true }).waitFor();
});

/** As the browser does when the reader looks at another tab, and back. */
const look = (page, hidden) =>
  page.evaluate((now) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => now });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);

test("a page that nobody sees holds no connection, and tells what happened meanwhile once it is looked at", async () => {
  const first = await held.browser.open(held.server, "#/jobs");
  const link = (page, name) => page.getByRole("link", { name, exact: true });
  await link(first, "later").waitFor();
  // A browser has six connections for all its tabs.
  let seen = first;
  for (let tab = 0; tab < 7; tab += 1) {
    await look(seen, true);
    seen = await first.context().newPage();
    await seen.goto(`${held.server.url}/#/jobs`);
    await link(seen, "later").waitFor();
  }
  await held.server.put({ name: "meanwhile", command: "true" });
  await link(seen, "meanwhile").waitFor();
  assert.equal(await link(first, "meanwhile").count(), 0);
  await look(seen, true);
  await look(first, false);
  await link(first, "meanwhile").waitFor();
  assert.equal(await first.getByText("The server is not heard from").count(), 0);
});

for (const [hash, path] of [["#/jobs", "overview"], ["#/history", "runs"], ["#/timeline", "timeline"], ["#/job/before", "job/before"]]) {
  test(`${hash}: what could not be had is asked for again without a word from the reader`, async () => {
    let refused = 0;
    const page = await held.browser.open(held.server, "#/cluster");
    await page.getByRole("heading", { name: "Cluster" }).waitFor();
    await page.route(new RegExp(`/scheduler/${path}(\\?|$)`), (route) => ((refused += 1) > 2 ? route.continue() : route.abort()));
    await page.evaluate((to) => (location.hash = to), hash);
    await page.getByText("the server cannot be reached").first().waitFor();
    await until("the third question", () => refused > 2);
    await page.getByText("the server cannot be reached").first().waitFor({ state: "detached" });
  });
}

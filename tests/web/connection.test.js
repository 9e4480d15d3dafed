/** The server goes and comes back while the page is open. */

import { test } from "node:test";
import { suite } from "./support/suite.js";

const held = suite();

test("the page says that it is stale, and is in order again by itself after a restart", async () => {
  await held.server.put({ name: "before", command: "true" });
  const page = await held.browser.open(held.server, "#/jobs");
  await page.getByRole("link", { name: "before", exact: true }).waitFor();
  await held.server.kill();
  await page.getByText("The server is not heard from").waitFor();
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

/** What a person on call does with the page: backfill, mark, skip, roll back, and what is on record of it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./support/server.js";
import { suite } from "./support/suite.js";

const held = suite();

test("a backfill: listed first, begun, seen to its end", async () => {
  const { server, browser } = held;
  await server.put({ name: "daily", command: "true", schedule: "R/2026-01-01T03:00:00Z/P1D", catchUp: "none" });
  const page = await browser.open(server, "#/backfill?job=daily");
  await page.getByRole("button", { name: "the last 7 days" }).click();
  const listed = page.locator("section", { has: page.getByRole("heading", { name: "What would be run" }) });
  await listed.getByText(/7 /).first().waitFor();
  await page.getByRole("button", { name: "Begin…" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("the source was wrong");
  await page.getByRole("dialog").getByRole("button", { name: /Begin/ }).click();
  await page.waitForURL(/#\/backfill\/b\d+/);
  await page.locator(".state", { hasText: "done" }).first().waitFor();
  const { backfills } = await server.get("backfills");
  assert.equal(backfills.length, 1);
  assert.equal(backfills[0].ended.succeeded, 7);
  await page.goto(`${server.url}/#/audit`);
  await page.getByText("the source was wrong").first().waitFor();
});

test("a step that is done by hand is marked, and what waits for it goes on", async () => {
  const { server, browser } = held;
  await server.put({ name: "import", command: "exit 9", retries: 0 });
  await server.put({ name: "publish", command: "true", parents: ["import"] });
  const run = await server.run("import");
  await server.over(run);
  const page = await browser.open(server, `#/run/${run}`);
  await page.getByRole("button", { name: "Mark succeeded" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("loaded by hand");
  await page.getByRole("dialog").getByRole("button", { name: "Mark succeeded" }).click();
  const followed = await until("the child to follow", async () => {
    const { runs } = await server.get("runs?job=publish");
    return runs[0]?.verdict === "succeeded" ? runs[0] : null;
  });
  assert.equal(followed.trigger.kind, "parents");
});

test("an occurrence to come is skipped, and run after all", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/job/daily");
  const next = page.locator("section", { has: page.getByRole("heading", { name: "What comes next" }) });
  await next.getByRole("button", { name: "skip" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: /Skip/ }).click();
  await until("the skip", async () => (await server.get("pauses")).skips.length === 1);
  await next.getByRole("button", { name: /run after all|run it after all/ }).first().click();
  await until("no skip", async () => (await server.get("pauses")).skips.length === 0);
});

test("a job is what it was again, after somebody has looked at what differs", async () => {
  const { server, browser } = held;
  await server.put({ name: "daily", command: "false", schedule: "R/2026-01-01T03:00:00Z/P1D", catchUp: "none" });
  const page = await browser.open(server, "#/job/daily?tab=revisions&to=1.1");
  await page.getByRole("button", { name: "Roll back to it…" }).click();
  const ask = page.getByRole("dialog");
  await ask.getByText("command").first().waitFor();
  await ask.getByRole("button", { name: /Roll back/ }).click();
  await until("the first definition", async () => (await server.get("job/daily")).command === "true");
});

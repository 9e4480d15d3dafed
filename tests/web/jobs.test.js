/** The list of jobs and what happens now. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE } from "./support/browser.js";
import { until } from "./support/server.js";
import { suite } from "./support/suite.js";

const held = suite();

test("where there is no job, the page says how to make one", async () => {
  const page = await held.browser.open(held.server, "");
  await page.getByText("There is no job yet").waitFor();
  await page.getByText("chronode job put").waitFor();
});

test("a job that is made elsewhere appears by itself, and what it does", async () => {
  const page = await held.browser.open(held.server, "#/now");
  await page.getByText("There is no job yet").waitFor();
  await held.server.put({ name: "sleeper", command: "sleep 600", owner: "ops@example.org" });
  const running = page.getByRole("region", { name: "Running" });
  await running.getByText("Nothing runs").waitFor();
  const run = await held.server.run("sleeper");
  await running.getByRole("link", { name: "sleeper" }).waitFor();
  await held.server.ask("POST", `/scheduler/run/${run}/kill`, { reason: "enough" });
  await running.getByText("Nothing runs").waitFor();
});

test("a failure is told and counted", async () => {
  await held.server.put({ name: "breaks", command: "exit 7", retries: 0 });
  await held.server.over(await held.server.run("breaks"));
  const page = await held.browser.open(held.server, "#/now");
  const failed = page.getByRole("region", { name: "Failing" });
  await failed.getByRole("link", { name: "breaks", exact: true }).waitFor();
  await page.getByRole("link", { name: /1\s*failing/ }).click();
  await page.getByRole("row", { name: /breaks/ }).waitFor();
  assert.match(page.url(), /#\/jobs\?state=failing$/);
});

test("search, filters and Back", async () => {
  await held.server.put({ name: "ledger.close", command: "true", owner: "finance@example.org", description: "closes the books" });
  const page = await held.browser.open(held.server, "#/jobs");
  await page.getByRole("link", { name: "breaks", exact: true }).waitFor();
  await page.getByRole("searchbox", { name: /search in names/ }).fill("BOOKS");
  await page.getByRole("link", { name: "breaks", exact: true }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "ledger.close" }).waitFor();
  assert.match(page.url(), /search=BOOKS/);
  await page.getByRole("button", { name: /^all/ }).click();
  await page.getByRole("button", { name: /^failing/ }).click();
  await page.getByText("No job is like that").waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "ledger.close" }).waitFor();
  await page.goto(`${held.server.url}/#/jobs?owner=finance@example.org`);
  await page.getByText("1 job", { exact: false }).first().waitFor();
});

test("several jobs at once: marked, paused with a reason, resumed", async () => {
  const page = await held.browser.open(held.server, "#/jobs");
  await page.getByRole("checkbox", { name: "mark breaks" }).check();
  await page.getByRole("checkbox", { name: "mark sleeper" }).check();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("the disk is being replaced");
  await page.getByRole("button", { name: "Pause: 2 jobs" }).click();
  await page.getByText("2 jobs paused").waitFor();
  const { jobs } = await held.server.get("pauses");
  assert.deepEqual(jobs.map((each) => each.job).sort(), ["breaks", "sleeper"]);
  assert.equal(jobs[0].by.reason, "the disk is being replaced");
  await page.getByRole("button", { name: /^paused/ }).click();
  await page.getByRole("row", { name: /breaks/ }).getByText("paused").waitFor();
  await page.getByRole("checkbox", { name: "mark breaks" }).check();
  await page.getByRole("button", { name: "Mark all" }).click();
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await page.getByRole("button", { name: "Resume: 2 jobs" }).click();
  await until("both to be resumed", async () => (await held.server.get("pauses")).jobs.length === 0);
});

test("several jobs at once: their runs killed, then they deleted, for one reason each", async () => {
  const { server, browser } = held;
  await Promise.all(["spent.a", "spent.b"].map((name) => server.put({ name, command: "sleep 600" })));
  const runs = [await server.run("spent.a"), await server.run("spent.b")];
  const page = await browser.open(server, "#/jobs?search=spent.");
  const mark = async () => {
    await page.getByRole("checkbox", { name: "mark spent.a" }).check();
    await page.getByRole("checkbox", { name: "mark spent.b" }).check();
  };
  const ask = page.getByRole("dialog");
  await mark();
  await page.getByRole("button", { name: "Kill runs" }).click();
  await ask.getByLabel("Reason").fill("the disk is full & slow");
  await ask.getByRole("button", { name: "Kill runs: 2 jobs" }).click();
  await page.getByText("2 jobs asked to stop").waitFor();
  for (const run of runs) assert.equal((await server.over(run)).stoppedBy.reason, "the disk is full & slow");

  await mark();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const sure = ask.getByRole("button", { name: "Delete: 2 jobs" });
  await ask.getByLabel("Reason").fill("moved to the other cluster");
  assert.equal(await sure.isDisabled(), true);
  await ask.getByLabel(/^Type/).fill("2");
  await sure.click();
  await page.getByText("2 jobs deleted").waitFor();
  for (const job of ["spent.a", "spent.b"]) {
    const { records } = await server.get(`audit?job=${job}&limit=2`);
    assert.deepEqual(records.map((it) => [it.what, it.reason]), [["delete", "moved to the other cluster"], ["kill", "the disk is full & slow"]]);
  }
  await page.goto(`${server.url}/#/audit?job=spent.a`);
  await page.getByText("moved to the other cluster").first().waitFor();
  await page.getByText("the disk is full & slow").first().waitFor();
});

test("everything paused is told above all else, and resumed from there", async () => {
  const page = await held.browser.open(held.server, "#/now");
  await page.getByRole("button", { name: "Pause everything…" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("moving house");
  await page.getByRole("dialog").getByRole("button", { name: "Pause everything" }).click();
  await page.getByText("Everything is paused").waitFor();
  await page.getByText("moving house").waitFor();
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
  await page.getByText("Everything is paused").waitFor({ state: "detached" });
});

test("the keyboard alone: find, move, open, run, help", async () => {
  const page = await held.browser.open(held.server, "#/now");
  await page.getByRole("heading", { name: "Now" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("ledger");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/jobs\?search=ledger/);
  await page.getByRole("row", { name: /ledger\.close/ }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("r");
  await page.getByText("ledger.close runs as").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).getByText("next job").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/job\/ledger\.close/);
});

test("another order begins at the top with its rows, and Back comes to where the reader was", async () => {
  for (let number = 0; number < 130; number += 1) {
    await held.server.put({ name: `many.${String(number).padStart(3, "0")}`, command: "true" });
  }
  const page = await held.browser.open(held.server, "#/jobs?search=many");
  const table = page.getByRole("table");
  await page.getByRole("link", { name: "many.000", exact: true }).waitFor();
  await table.evaluate((element) => element.scrollTo(0, 100 * 52));
  await page.getByRole("link", { name: "many.105", exact: true }).click();
  await page.getByRole("heading", { name: "many.105" }).waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "many.105", exact: true }).waitFor();
  assert.equal(await table.evaluate((element) => element.scrollTop), 100 * 52);
  await page.getByRole("button", { name: "the other way round" }).click();
  await page.getByRole("link", { name: "many.129", exact: true }).waitFor();
  assert.equal(await table.evaluate((element) => element.scrollTop), 0);
  await page.locator(".job-row.unknown").first().waitFor({ state: "detached" });
});

test("Back comes to the same place of the history", async () => {
  for (let number = 0; number < 60; number += 1) await held.server.run("many.000");
  const page = await held.browser.open(held.server, "#/history?job=many.000");
  const list = page.getByRole("table", { name: "runs" });
  await page.locator('[aria-rowindex="12"]').waitFor();
  await list.evaluate((element) => element.scrollTo(0, 20 * 38));
  const row = page.locator('[aria-rowindex="25"] a').first();
  const address = await row.getAttribute("href");
  await row.click();
  await page.getByRole("region", { name: "log" }).or(page.getByText("many.000").first()).first().waitFor();
  await page.waitForURL(/#\/run\//);
  await page.goBack();
  await page.locator(`.history-row a[href="${address}"]`).first().waitFor();
  assert.equal(await list.evaluate((element) => element.scrollTop), 20 * 38);
});

test("marks go with the filter, and what was refused stays marked", async () => {
  const page = await held.browser.open(held.server, "#/jobs?search=many");
  await page.getByRole("checkbox", { name: "mark many.001" }).check();
  await page.getByRole("button", { name: /^paused/ }).click();
  await page.getByText("1 job marked").waitFor({ state: "detached" });
  await page.goBack();
  for (const name of ["many.001", "many.002"]) await page.getByRole("checkbox", { name: `mark ${name}` }).check();
  await page.route("**/pause", (route) => (route.request().postDataJSON().job === "many.002" ? route.fulfill({ status: 409, json: { message: "not this one", status: 409 } }) : route.continue()));
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("button", { name: "Pause: 2 jobs" }).click();
  await page.getByText("1 job not paused").waitFor();
  await page.getByText("1 job marked").waitFor();
  assert.ok(await page.getByRole("checkbox", { name: "mark many.002" }).isChecked());
});

test("on a phone a job of the list shows its last runs, is marked and run", async () => {
  const page = await held.browser.open(held.server, "#/jobs?search=breaks", { viewport: PHONE });
  const row = page.getByRole("row", { name: /breaks/ });
  await row.getByRole("link", { name: /^failed/ }).first().waitFor();
  await row.getByRole("checkbox", { name: "mark breaks" }).check();
  await row.getByRole("button", { name: "run breaks now" }).click();
  await page.getByText("breaks runs as").waitFor();
  assert.equal(await row.evaluate((element) => element.getBoundingClientRect().height), 84);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

test("a list of alerts that cannot be had says so", async () => {
  const page = await held.browser.open(held.server, "#/now");
  await page.route("**/overview?limit=0", async (route) => {
    const answer = await (await route.fetch()).json();
    await route.fulfill({ json: { ...answer, counts: { ...answer.counts, late: 1 } } });
  });
  await page.route("**/overview?*state=late*", (route) => route.fulfill({ status: 500, json: { message: "the disk is gone", status: 500 } }));
  await page.goto(`${held.server.url}/#/alerts`);
  await page.getByText("the disk is gone").first().waitFor();
});

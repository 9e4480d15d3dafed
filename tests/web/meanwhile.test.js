/** What a job's page says when the job is changed by somebody else, or by more than one thing at once. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./support/server.js";
import { suite } from "./support/suite.js";

const held = suite();

test("a job that is deleted elsewhere is gone, and comes back", async () => {
  const { server, browser } = held;
  await server.put({ name: "fleeting", command: "echo once" });
  const page = await browser.open(server, "#/job/fleeting");
  await page.getByRole("button", { name: "Run now" }).waitFor();
  await server.ask("DELETE", "/scheduler/job/fleeting");
  await page.getByText("What is kept of it").waitFor();
  await page.getByRole("button", { name: "Run now" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Bring it back…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await page.getByRole("button", { name: "Run now" }).waitFor();
  assert.equal((await server.get("job/fleeting")).command, "echo once");
});

test("a roll-back undoes nothing that was not shown", async () => {
  const { server, browser } = held;
  await server.put({ name: "shared", command: "echo one" });
  await server.put({ name: "shared", command: "echo two" });
  const page = await browser.open(server, "#/job/shared?tab=revisions");
  await page.locator(".revision-list tbody tr").nth(1).getByRole("button").click();
  await page.getByRole("button", { name: "Roll back to it…" }).click();
  const ask = page.getByRole("dialog");
  await ask.getByText("echo two").first().waitFor();
  await server.put({ name: "shared", command: "echo three" });
  await ask.getByRole("button", { name: "Roll back" }).click();
  await ask.getByText("Somebody has changed the job meanwhile").waitFor();
  await ask.getByText("echo three").first().waitFor();
  assert.equal((await server.get("job/shared")).command, "echo three");
  await ask.getByRole("button", { name: "Roll back" }).click();
  await until("it to be rolled back", async () => (await server.get("job/shared")).command === "echo one");
});

test("its own pause ends while everything stays paused", async () => {
  const { server, browser } = held;
  await server.put({ name: "still", command: "true" });
  await server.ask("POST", "/scheduler/pause", { job: "still" });
  await server.ask("POST", "/scheduler/pause", { everything: true });
  const page = await browser.open(server, "#/job/still");
  await page.locator(".state", { hasText: "everything paused" }).waitFor();
  await page.getByRole("button", { name: "Resume", exact: true }).last().click();
  await until("its own pause to end", async () => (await server.get("pauses")).jobs.length === 0);
  await page.getByRole("button", { name: "Pause…" }).waitFor();
  await page.locator(".state", { hasText: "everything paused" }).waitFor();
  await server.ask("POST", "/scheduler/resume", { everything: true });
  await page.locator(".state", { hasText: "everything paused" }).waitFor({ state: "detached" });
});

test("of runs that are killed together each has the reason on record", async () => {
  const { server, browser } = held;
  await server.put({ name: "many", command: "sleep 600", overlap: "allow" });
  const runs = [await server.run("many"), await server.run("many")];
  const page = await browser.open(server, "#/job/many");
  await page.getByRole("button", { name: "more to do with many" }).click();
  assert.equal(await page.getByRole("menuitem", { name: "Disable", exact: true }).count(), 1);
  await page.getByRole("menuitem", { name: "Kill its runs…" }).click();
  const ask = page.getByRole("dialog");
  await ask.getByText("This stops 2 runs. What waits").waitFor();
  await ask.getByLabel("Reason").fill("wrong input");
  // One that is over before it is asked for stays as it is.
  await server.ask("POST", `/scheduler/run/${encodeURIComponent(runs[0])}/kill`, { reason: "earlier" });
  await server.over(runs[0]);
  await ask.getByRole("button", { name: "Kill its runs" }).click();
  await page.getByText("the runs of many are being stopped").waitFor();
  const told = JSON.stringify(await server.over(runs[1]));
  assert.match(told, /wrong input/);
  assert.match(JSON.stringify(await server.over(runs[0])), /earlier/);
  const { records } = await server.get("audit?job=many&limit=1");
  assert.deepEqual([records[0].what, records[0].reason, records[0].path], ["kill", "wrong input", "/scheduler/task/kill/many"]);
});

test("a run leads to the revision that it was recorded with, however old it is", async () => {
  const { server, browser } = held;
  await server.put({ name: "old", command: "true", description: "the first" });
  const run = await server.run("old");
  await server.over(run);
  for (let number = 0; number < 24; number += 1) await server.put({ name: "old", command: "true", description: `now ${number}` });
  const page = await browser.open(server, `#/run/${encodeURIComponent(run)}?tab=environment`);
  const link = page.getByRole("link", { name: /^revision / });
  const name = (await link.textContent()).replace("revision ", "");
  await link.click();
  await page.getByRole("heading", { name: `Revision ${name}`, exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name, exact: true }).getAttribute("aria-pressed"), "true");
  assert.equal((await server.get(`revision/old/${name}`)).description, "the first");
});

test("a review goes on when the server is there again", async () => {
  const { server, browser } = held;
  await server.put({ name: "tried", command: "true" });
  const page = await browser.open(server, "#/edit/tried");
  await page.getByLabel("Description", { exact: true }).fill("after the blip");
  await page.route(/dryRun=true/, (route) => route.abort());
  await page.getByRole("button", { name: "Review and save" }).click();
  const review = page.getByRole("dialog");
  await review.getByText("the server cannot be reached").waitFor();
  assert.equal(await review.getByRole("button", { name: "Save the change" }).isDisabled(), true);
  await page.unroute(/dryRun=true/);
  await review.getByRole("button", { name: "Try again" }).click();
  await review.getByRole("button", { name: "Save the change" }).click();
  await page.waitForURL(/#\/job\/tried/);
  assert.equal((await server.get("job/tried")).description, "after the blip");
  await page.getByRole("button", { name: "Run now" }).waitFor();

  await page.goto(`${server.url}/#/edit/tried`);
  await page.getByLabel("Description", { exact: true }).fill("by itself");
  await server.kill();
  await page.getByRole("button", { name: "Review and save" }).click();
  await review.getByText("the server cannot be reached").waitFor();
  held.server = await server.again();
  await review.getByRole("button", { name: "Save the change" }).click();
  await page.waitForURL(/#\/job\/tried/);
  assert.equal((await held.server.get("job/tried")).description, "by itself");
});

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

/** A job from beginning to end, as somebody does it with the page alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./support/server.js";
import { suite } from "./support/suite.js";

const held = suite();

/** Reviews the draft and saves it. */
async function save(page, word) {
  await page.getByRole("button", { name: "Review and save" }).click();
  await page.getByRole("dialog").getByRole("button", { name: word }).click();
  // The address turns before the page does, and until then the review is still open.
  await page.getByRole("button", { name: /^more to do with / }).waitFor();
}

test("created, edited, run, killed, deleted", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/new");
  await page.getByLabel("Name", { exact: true }).fill("payroll");
  await page.getByLabel("Owner", { exact: true }).fill("hr@example.org");
  await page.getByLabel("Command", { exact: true }).fill("echo paying; sleep 600");
  await page.getByLabel("Cron line").fill("30 7 28 * *");
  await page.getByLabel("Zone", { exact: true }).fill("Europe/Berlin");
  const side = page.getByRole("complementary", { name: "what it would come to" });
  await side.getByText("07:30").first().waitFor();
  await save(page, "Create the job");
  const stored = await server.get("job/payroll");
  assert.equal(stored.schedule, "30 7 28 * *");
  assert.equal(stored.scheduleTimeZone, "Europe/Berlin");

  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("button", { name: "Show the run" }).click();
  await page.getByRole("heading", { name: "payroll" }).waitFor();
  await page.getByRole("region", { name: "output" }).getByText("paying").waitFor();
  await page.getByRole("button", { name: "Kill", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("wrong month");
  await page.getByRole("dialog").getByRole("button", { name: "Kill" }).click();
  await page.locator(".state", { hasText: "killed" }).first().waitFor();
  await page.getByText("wrong month").first().waitFor();

  await page.goto(`${server.url}/#/edit/payroll`);
  await page.getByLabel("Command", { exact: true }).fill("echo paid");
  await page.getByRole("button", { name: "Review and save" }).click();
  const review = page.getByRole("dialog");
  await review.getByText("echo paid").first().waitFor();
  await review.getByRole("button", { name: "Save the change" }).click();
  await page.waitForURL(/#\/job\/payroll/);
  assert.equal((await server.get("job/payroll")).command, "echo paid");

  await page.getByRole("button", { name: "more to do with payroll" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  const ask = page.getByRole("dialog");
  const sure = ask.getByRole("button", { name: /Delete/ });
  await ask.getByLabel("Reason").fill("paid by hand");
  assert.equal(await sure.isDisabled(), true);
  await ask.getByRole("textbox").first().fill("payroll");
  await sure.click();
  await page.waitForURL(/#\/jobs/);
  await page.getByText("There is no job yet").waitFor();
  await page.goto(`${server.url}/#/audit`);
  await page.getByRole("row", { name: /payroll/ }).filter({ hasText: "paid by hand" }).waitFor();
});

test("a field that no form shows is kept, and another's change is not written over", async () => {
  const { server, browser } = held;
  await server.put({ name: "rich", command: "true", schedule: "0 1 * * *", calendars: [{ name: "holidays", use: "neverIn", dates: ["12-25"] }],
    fetch: [{ uri: "https://example.org/a.tgz", extract: true }], constraints: [["rack", "EQUALS", "a"]],
    environmentVariables: [{ name: "TOKEN", value: "s3cret", secret: true }], executorFlags: "x=1" });
  const before = await server.get("job/rich");
  const page = await browser.open(server, "#/edit/rich");
  await page.getByLabel("Description", { exact: true }).fill("first");
  await save(page, "Save the change");
  const after = await server.get("job/rich");
  assert.deepEqual({ ...after, description: before.description, nextDue: 0 }, { ...before, nextDue: 0 });

  await page.goto(`${server.url}/#/edit/rich`);
  await page.getByLabel("Description", { exact: true }).fill("second");
  await server.put({ ...after, description: "somebody else was here" });
  await page.getByRole("button", { name: "Review and save" }).click();
  await page.getByRole("dialog").getByText("somebody else was here").first().waitFor();
  assert.equal((await server.get("job/rich")).description, "somebody else was here");
});

test("a mistake in the text is told with its place, and nothing is sent", async () => {
  const { server, browser } = held;
  await server.put({ name: "texted", command: "true", schedule: "0 1 * * *" });
  const page = await browser.open(server, "#/edit/texted?tab=json");
  const text = page.getByRole("textbox", { name: "the job as JSON" });
  await text.fill('{\n  "name": "texted",\n  "command": \n}');
  await page.getByText(/line 4, column 1|line 3/).first().waitFor();
  // What cannot be read cannot be saved: the keyboard is put where the mistake is.
  await page.getByRole("button", { name: "Review and save" }).click();
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal(await text.evaluate((field) => document.activeElement === field), true);
  await text.fill('{"name": "texted", "command": "true", "schedule": "61 * * * *"}');
  await page.getByText(/61/).first().waitFor();
  await page.getByRole("link", { name: "YAML" }).click();
  await page.getByRole("textbox", { name: "the job as YAML" }).waitFor();
});

test("a dependent job, its parent found by search", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/new?kind=dependent");
  await page.getByLabel("Name", { exact: true }).fill("follower");
  await page.getByLabel("Command", { exact: true }).fill("true");
  await page.getByRole("combobox", { name: /parent/i }).fill("tex");
  await page.getByRole("option", { name: /texted/ }).click();
  await save(page, "Create the job");
  assert.deepEqual((await server.get("job/follower")).parents, ["texted"]);
  await page.getByRole("link", { name: "texted" }).first().waitFor();
});

test("disabling can be undone", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/job/texted");
  await page.getByRole("button", { name: "more to do with texted" }).click();
  await page.getByRole("menuitem", { name: /Disable/ }).click();
  await page.locator(".state", { hasText: "disabled" }).waitFor();
  assert.equal((await server.get("job/texted")).disabled, true);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator(".state", { hasText: "disabled" }).waitFor({ state: "detached" });
  await until("it to be enabled", async () => !(await server.get("job/texted")).disabled);
});

/** What has run and what will: history, timeline, forecast; and in whose time it is told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./support/server.js";
import { suite } from "./support/suite.js";

const held = suite({}, async (server) => {
  await server.put({ name: "works", command: "true" });
  await server.put({ name: "breaks", command: "exit 3", retries: 0 });
  await server.put({ name: "berlin", command: "true", schedule: "30 2 * * *", scheduleTimeZone: "Europe/Berlin" });
  const [works, breaks] = [await server.run("works"), await server.run("breaks")];
  await server.over(works);
  await server.over(breaks);
  return { works, breaks };
});

test("the history is filtered by the server, and the address says how", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/history");
  await page.getByRole("link", { name: "works", exact: true }).waitFor();
  await page.getByRole("group", { name: "how it ended" }).getByText("failed").click();
  await page.getByRole("link", { name: "works", exact: true }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "breaks", exact: true }).click();
  await page.waitForURL(/#\/run\//);
  await page.goBack();
  assert.match(page.url(), /verdict=failed/);
  await page.goto(`${server.url}/#/history?exit=3&search=brea`);
  await page.getByRole("link", { name: "breaks", exact: true }).waitFor();
  assert.equal(await page.getByRole("link", { name: "works", exact: true }).count(), 0);
});

test("the timeline has the past and what is to come, also as a table", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/timeline?span=24h");
  await page.getByText("3 jobs").first().waitFor();
  await page.getByRole("group", { name: "shown as" }).getByText("Table").click();
  await page.getByRole("cell", { name: /breaks/ }).or(page.getByRole("rowheader", { name: /breaks/ })).first().waitFor();
  await page.getByText(/failed/).first().waitFor();
  await page.goBack();
  await page.getByRole("checkbox", { name: /only with runs/ }).check();
  assert.match(page.url(), /busy=true/);
});

test("a start is told in the job's zone, the reader's and UTC", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/job/berlin", { timezoneId: "America/New_York" });
  const next = page.locator("section", { has: page.getByRole("heading", { name: "What comes next" }) });
  await next.getByText("02:30").first().waitFor();
  await next.getByText(/20:30|21:30/).first().waitFor();
  await page.getByRole("banner").getByLabel("times in").selectOption("utc");
  await page.locator("dl time", { hasText: /0[01]:30 UTC$/ }).first().waitFor();
  await page.getByRole("banner").getByLabel("times in").selectOption("job");
  await page.locator("dl time", { hasText: /02:30 Europe\/Berlin$/ }).first().waitFor();
  await page.reload();
  await page.locator("dl time", { hasText: /02:30 Europe\/Berlin$/ }).first().waitFor();
});

test("in a list of jobs each is told by its own clock", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/jobs?search=berlin", { timezoneId: "America/New_York" });
  const next = page.getByRole("row", { name: /berlin/ }).locator("time");
  await page.getByRole("banner").getByLabel("times in").selectOption("job");
  await until("the clock of Berlin", async () => /02:30:00\.000 UTC\+[12]/.test((await next.getAttribute("title")) ?? ""));
});

test("the forecast counts what will start, in a picture and a table", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/forecast");
  await page.getByText(/1 start/).first().waitFor();
  await page.locator("canvas").first().waitFor();
  await page.getByRole("link", { name: "berlin" }).first().waitFor();
  await page.getByRole("group", { name: "shown as" }).getByText("Table").click();
  await page.getByRole("table").first().waitFor();
});

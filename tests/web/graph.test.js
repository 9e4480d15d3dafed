/** A chain in the graph, while it runs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { suite } from "./support/suite.js";

const held = suite();

test("an empty graph says how to make a chain; a chain appears, and how its jobs stand", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/graph");
  await page.getByText(/parents/).first().waitFor();
  await server.put({ name: "extract", command: "true" });
  await server.put({ name: "load", command: "exit 1", retries: 0, parents: ["extract"] });
  await server.put({ name: "report", command: "true", parents: ["load"] });
  const picture = page.getByRole("application", { name: "graph of 3 jobs" });
  await picture.waitFor();
  const run = await server.run("extract");
  await server.over(run);
  await page.getByRole("group", { name: "shown as" }).getByText("Table").click();
  const load = page.getByRole("row", { name: /^load/ });
  await load.getByText(/failed/).waitFor();
  await load.getByText("extract").waitFor();
});

test("a job is found, its side says what it is, and Back closes it", async () => {
  const { server, browser } = held;
  const page = await browser.open(server, "#/graph");
  await page.getByRole("application").waitFor();
  await page.getByLabel("find a job in the graph").fill("report");
  await page.keyboard.press("Enter");
  const side = page.getByRole("complementary", { name: "job report" });
  await side.waitFor();
  await side.getByRole("button", { name: "load" }).first().waitFor();
  await page.goBack();
  await side.waitFor({ state: "detached" });
  assert.match(page.url(), /#\/graph/);
});

test("the neighbourhood of a job has its own address", async () => {
  const { server, browser } = held;
  await server.put({ name: "elsewhere", command: "true", parents: ["report"] });
  const page = await browser.open(server, "#/graph?job=extract&up=1&down=1");
  await page.getByRole("application", { name: "graph of 2 jobs" }).waitFor();
});

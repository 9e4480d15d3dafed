/** The log of a run, while it is written and afterwards. */

import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { suite } from "./support/suite.js";

const held = suite();

test("what a running command prints appears while it runs, stderr marked", async () => {
  const { server, browser } = held;
  const gate = join(mkdtempSync(join(tmpdir(), "chronode-gate-")), "gate");
  writeFileSync(gate, "");
  await server.put({ name: "talks", command: `echo first; echo trouble >&2; until grep -q go ${gate}; do sleep 0.05; done; echo second` });
  const run = await server.run("talks");
  const page = await browser.open(server, `#/run/${run}`);
  const output = page.getByRole("region", { name: "output" });
  await output.getByText("first", { exact: true }).waitFor();
  await output.getByText("trouble", { exact: true }).waitFor();
  assert.equal(await output.getByText("second", { exact: true }).count(), 0);
  appendFileSync(gate, "go\n");
  await output.getByText("second", { exact: true }).waitFor();
  await page.locator(".state", { hasText: "succeeded" }).first().waitFor();
  await page.getByRole("group", { name: "which stream" }).getByText("stderr").click();
  await output.getByText("first", { exact: true }).waitFor({ state: "detached" });
  await output.getByText("trouble", { exact: true }).waitFor();
  assert.match(page.url(), /stream=stderr/);
});

test("colours are colours, other escapes are nothing, and markup is text", async () => {
  const { server, browser } = held;
  await server.put({ name: "paints", command: String.raw`printf '\033[31mred\033[0m \033[2J\033]0;title\007plain <b>bold</b>\n'` });
  const run = await server.run("paints");
  await server.over(run);
  const page = await browser.open(server, `#/run/${run}`);
  const output = page.getByRole("region", { name: "output" });
  const red = output.getByText("red", { exact: true });
  await red.waitFor();
  await output.getByText("plain <b>bold</b>").waitFor();
  const colour = (locator) => locator.evaluate((element) => getComputedStyle(element).color);
  assert.notEqual(await colour(red), await colour(output.getByText("plain <b>bold</b>")));
});

test("search, a link to a line, and the download is what was written", async () => {
  const { server, browser } = held;
  await server.put({ name: "long", command: "seq 1 5000" });
  const run = await server.run("long");
  await server.over(run);
  const page = await browser.open(server, `#/run/${run}?line=4321&stream=stdout`);
  const output = page.getByRole("region", { name: "output" });
  await output.getByText("4321", { exact: true }).first().waitFor();
  assert.ok((await output.getByText("1", { exact: true }).count()) < 3, "lines out of sight are not in the page");
  await page.getByLabel("search the log").fill("777");
  await page.getByText(/of \d+/).first().waitFor();
  const downloading = page.waitForEvent("download");
  await page.getByTitle("download all of stdout that is kept").click();
  const stream = await (await downloading).createReadStream();
  let text = "";
  for await (const piece of stream) text += piece;
  assert.equal(text, Array.from({ length: 5000 }, (_, index) => `${index + 1}\n`).join(""));
});

test("a run is retried from the page, and the chain shows where it is from", async () => {
  const { server, browser } = held;
  await server.put({ name: "step.one", command: "exit 5", retries: 0 });
  await server.put({ name: "step.two", command: "true", parents: ["step.one"] });
  const run = await server.run("step.one");
  await server.over(run);
  const page = await browser.open(server, `#/run/${run}`);
  await page.getByText("exit code 5").first().waitFor();
  await server.put({ name: "step.one", command: "true", retries: 0 });
  await page.getByRole("button", { name: "Retry from here down" }).click();
  const ask = page.getByRole("dialog");
  await ask.getByRole("button", { name: /Retry/ }).click();
  await page.getByRole("link", { name: "Lineage" }).click();
  await page.getByRole("link", { name: "step.two" }).first().waitFor();
});

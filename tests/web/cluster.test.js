/** The page of a server that works for a cluster: agents, what is missing, files on an agent, and why a run waits. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { barriers, keepScreenshot, overflow, PHONE, shown } from "./support/browser.js";
import { asCluster, FRAMEWORK, HOSTILE, NOTHING_MISSING } from "./support/mesos.js";
import { suite } from "./support/suite.js";

const held = suite({}, async (server) => {
  await server.put({ name: "report", command: "echo done", schedule: "R0/2026-01-01T00:00:00Z/PT1H" });
  await server.put({ name: "placed", command: "true", schedule: "R0/2026-01-01T00:00:00Z/PT1H", constraints: [["rack", "LIKE", "r-[12]"]] });
  const run = await server.run("report");
  await server.over(run);
  return run;
});

/** A page of a cluster, at `hash`. */
async function open(hash, options = {}, cluster = {}) {
  const page = await held.browser.open(held.server, "#/audit", options);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await asCluster(page, { run: held.made, ...cluster });
  await page.evaluate((to) => (location.hash = to), hash);
  return page;
}

test("agents are shown with what they offered, what became of it, and what is planned", async () => {
  const page = await open("#/cluster");
  await page.getByText(FRAMEWORK).first().waitFor();
  await page.getByText("zk://zk1:2181,zk2:2181,zk3:2181/mesos").waitFor();
  const card = (name) => page.getByRole("region", { name: `agent ${name}` });
  const first = card("3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S0");
  for (const text of ["n1.example.org", "3 live runs", "6 held, 2 left", "rack: r-1", "weight: 1.5", "2 runs placed on it"]) await first.getByText(text).first().waitFor();
  const second = card("3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S1");
  for (const text of ["declined: nothing that waits fits", "needs 16 cpus, it offers 2", "zones: {a, b}", "slots: ranges of numbers"]) await second.getByText(text).first().waitFor();
  assert.match(await second.getByRole("link", { name: "ml.train" }).getAttribute("href"), /#\/job\/ml\.train/);
  await card("3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S2").getByText("out of service from").waitFor();
  await card("3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S4").getByText("it offers nothing at the moment").waitFor();
  await page.getByLabel("find agents").fill("rack");
  await page.getByText("2 found").waitFor();
  assert.match(page.url(), /agents=rack/);
  await page.getByLabel("find agents").fill("nowhere at all");
  await page.getByText("No agent is called so").waitFor();
});

test("what is missing is told by what is wanted, and that nothing is", async () => {
  const page = await open("#/cluster");
  const missing = page.getByRole("region", { name: "what is missing" });
  await missing.getByText("find no place on 10 known agents").waitFor();
  for (const text of ["16 cpus, 64 GiB of memory", "rack LIKE r-[12]", "hostname UNIQUE", "gpu EQUALS a100 matches no agent", HOSTILE]) await missing.getByText(text).first().waitFor();
  const calm = await open("#/cluster", {}, { shortfall: NOTHING_MISSING });
  await calm.getByRole("region", { name: "what is missing" }).getByText("nothing").first().waitFor();
});

test("files on an agent are listed, walked through and downloaded", async () => {
  const page = await open(`#/run/${held.made}`);
  await page.getByRole("link", { name: "Files" }).click();
  const files = page.getByRole("region", { name: "files", exact: true });
  for (const text of ["n1.example.org", "2.2 MiB", "nobody"]) await files.getByText(text).first().waitFor();
  await files.getByText(`${HOSTILE}.html`).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), files.getByRole("button", { name: "report.csv" }).click()]);
  assert.equal(download.suggestedFilename(), "report.csv");
  assert.equal(readFileSync(await download.path(), "utf8"), "the bytes of report.csv");
  await files.getByRole("link", { name: "logs/" }).click();
  await files.getByText("deep.txt").waitFor();
  assert.match(page.url(), /path=logs/);
  await page.getByRole("link", { name: "Attempts" }).click();
  await page.getByRole("cell", { name: "n1.example.org" }).waitFor();
});

test("that an agent is out of reach, or has nothing any more, is said in the server's words", async () => {
  const away = { status: 502, code: "agent_out_of_reach", message: "the agent n1.example.org cannot be reached", remedy: "ask again when the agent is back" };
  const page = await open(`#/run/${held.made}?tab=files`, {}, { gone: away });
  await page.getByText(away.message).waitFor();
  await page.getByText(away.remedy).waitFor();
  const gone = { status: 404, code: "no_output", message: "the agent n1.example.org has removed the files of the run" };
  const late = await open(`#/run/${held.made}`, {}, { gone });
  await late.getByText("The agent n1.example.org has removed the files of the run.").waitFor();
});

test("a run that waits says what is against each agent", async () => {
  const page = await open(`#/run/${held.made}?tab=explain`);
  const objections = page.getByRole("region", { name: "why it fits on no agent" });
  await objections.getByRole("cell", { name: "n1.example.org" }).waitFor();
  await objections.getByText("Needs 16 cpus, it offers 2.").or(objections.getByText("needs 16 cpus, it offers 2.")).first().waitFor();
  await objections.getByText("It fits on none of 237 further agents either.").waitFor();
  // What the table says no sentence says as well.
  assert.equal(await page.getByText("it fits on none of 240").count(), 0);
  await objections.getByRole("link", { name: "S9" }).click();
  await page.getByLabel("find agents").waitFor();
  assert.match(page.url(), /#\/cluster\?agents=S9/);
});

test("where a job may run, on how many ports, and among which agents is edited", async () => {
  const page = await held.browser.open(held.server, "#/edit/placed");
  await page.getByLabel("operator 1").selectOption("UNIQUE");
  assert.equal(await page.getByLabel("value 1").count(), 0);
  await page.getByLabel("operator 1").selectOption("CLUSTER");
  await page.getByLabel("value 1").fill("r-1");
  await page.getByLabel("Ports").fill("2");
  await page.getByLabel("Among agents with room").selectOption("spread");
  await page.getByRole("link", { name: "JSON", exact: true }).click();
  const text = JSON.parse(await page.getByLabel("the job as JSON").inputValue());
  assert.deepEqual([text.constraints, text.ports, text.placement], [[["rack", "CLUSTER", "r-1"]], 2, "spread"]);
});

test("everybody can read and use it, and it is no wider than a phone", async () => {
  const screens = [
    { name: "mesos-cluster", hash: "#/cluster" },
    { name: "mesos-files", hash: `#/run/${held.made}?tab=files` },
    { name: "mesos-explain", hash: `#/run/${held.made}?tab=explain` },
    { name: "mesos-attempts", hash: `#/run/${held.made}?tab=attempts` },
    { name: "mesos-edit", hash: "#/edit/placed" },
  ];
  for (const { name, hash } of screens) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      const page = await open(hash, { colorScheme, viewport: { width: 1280, height: 1500 } });
      await shown(page);
      await keepScreenshot(page, `${name}-${colorScheme}`);
      assert.deepEqual(await barriers(page), [], name);
      await held.browser.settle();
    }
    const page = await open(hash, { viewport: PHONE, hasTouch: true, isMobile: true });
    await shown(page);
    await keepScreenshot(page, `${name}-phone`);
    assert.ok((await overflow(page)) <= 0, `${name} is too wide`);
    await held.browser.settle();
  }
});

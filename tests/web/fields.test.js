/** What the page says is taken away is taken away, whatever the server keeps where a body says nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { body, definition, pathOf } from "../../web/data/definition.js";
import { changes } from "../../web/data/diff.js";
import { barriers, PHONE } from "./support/browser.js";
import { suite } from "./support/suite.js";

const held = suite();

const RICH = {
  name: "full", command: "echo", schedule: "R/2099-01-01T00:00:00Z/P1D", scheduleTimeZone: "Europe/Berlin", description: "d", owner: "a@example.org",
  ownerName: "o", shell: false, arguments: ["a"], environmentVariables: [{ name: "A", value: "1" }, { name: "S", value: "s", secret: true }], retries: 7,
  retryDelay: "PT7M", retryBackoff: { factor: 2, max: "PT1H" }, retryOn: [3], retryUntil: "PT3H", disableAfterFailures: 4, timeout: "PT9M",
  killGrace: "PT7S", overlap: "allow", catchUp: "all", priority: "low", cpus: 0.5, mem: 77, disk: 78, constraints: [["rack", "EQUALS", "a"]],
  fetch: [{ uri: "https://example.org/a.tgz" }], calendars: [{ name: "h", use: "neverIn", dates: ["12-25"] }], notBefore: "2098-01-01T00:00:00Z",
  notAfter: "2199-01-01T00:00:00Z", jitter: "PT5M", dst: { gap: "skip" }, spreadBy: "rack", runAsUser: "nobody", epsilon: "PT11M",
  onUnknown: { wait: "PT9M" }, softError: true, disabled: true, shadow: true, executorFlags: "f",
  startBy: "06:30", finishBy: "PT2H", maxLateness: "PT12M", expectedDuration: "PT1H", runbook: "https://wiki.example.org/full", labels: { team: "data", tier: "1" },
};
const CHILD = { name: "child", command: "true", parents: ["plain"], triggerRule: "all-done", join: "due", highPriority: true, overlap: { queue: 3 } };

test("each field that is taken away is what it is of a job that never had it", async () => {
  const { server } = held;
  await server.put({ name: "plain", command: "true" });
  const plain = await server.get("job/plain");
  for (const job of [RICH, CHILD]) {
    const fields = Object.keys(job).filter((field) => !["name", "command", "schedule", "parents"].includes(field));
    for (const field of fields) {
      await server.put(job);
      const stored = definition(await server.get(`job/${job.name}`));
      const { [field]: _, ...draft } = stored;
      const sent = body(draft, stored);
      assert.ok(changes(stored, sent).some((change) => change.field.startsWith(field)), field);
      await server.ask("PUT", `/scheduler/${pathOf(sent)}`, sent);
      const now = definition(await server.get(`job/${job.name}`));
      assert.deepEqual(now[field], plain[field], field);
      assert.notDeepEqual(now[field], stored[field], field);
      for (const other of fields) if (other !== field) assert.deepEqual(now[other], stored[other], `${other} without ${field}`);
      await server.ask("DELETE", `/scheduler/job/${job.name}`);
    }
  }
});

test("objectives, the runbook and labels are typed, refused where they are wrong, stored and shown", async () => {
  const { server, browser } = held;
  const hostile = "<img src=x onerror=alert(1)>";
  await server.put({ name: "aims", command: "true" });
  const page = await browser.open(server, "#/edit/aims");
  const fold = page.getByText("Objectives, runbook and labels");
  await fold.click();
  await page.getByLabel("Should start by").fill("6:30");
  await page.getByText("which is neither a time nor a period").waitFor();
  await page.getByLabel("Should start by").fill("06:30");
  await page.getByLabel("Should succeed by").fill("PT2H");
  await page.getByText("2 h", { exact: true }).waitFor();
  await page.getByLabel("May start late by").fill("PT12M");
  await page.getByLabel("Takes at most").fill("PT1H");
  await page.getByLabel("Runbook").fill("https://wiki.example.org/aims");
  for (const [index, name, value] of [[1, "team", "data"], [2, "team", "other"]]) {
    await page.getByRole("button", { name: "Add a label" }).click();
    await page.getByLabel(`name of label ${index}`).fill(name);
    await page.getByLabel(`value of label ${index}`).fill(value);
  }
  await page.getByText("two labels are called team: the last one counts").waitFor();
  await page.getByLabel("name of label 2").fill("");
  await page.getByText("has an empty name").waitFor();
  await page.getByLabel("name of label 2").fill(hostile);
  await page.getByText("has an empty name").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Add a label" }).click();
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("button", { name: "Review and save" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save the change" }).click();
  await page.waitForURL(/#\/job\/aims/);
  const { startBy, finishBy, maxLateness, expectedDuration, runbook, labels } = await server.get("job/aims");
  assert.deepEqual({ startBy, finishBy, maxLateness, expectedDuration, runbook }, { startBy: "06:30", finishBy: "PT2H", maxLateness: "PT12M", expectedDuration: "PT1H", runbook: "https://wiki.example.org/aims" });
  assert.deepEqual(labels, { team: "data", [hostile]: "other" });

  await page.getByText("start by 06:30, succeed within 2 h after it is due, start at most 12 min late, take at most 1 h").waitFor();
  assert.equal(await page.getByRole("link", { name: "https://wiki.example.org/aims" }).getAttribute("href"), "https://wiki.example.org/aims");
  await page.getByText("team: data").waitFor();
  await page.getByText(`${hostile}: other`).waitFor();
  await server.put({ name: "aims", command: "true", runbook: "javascript:alert(1)", labels: { long: "y".repeat(100) } });
  await page.getByText("javascript:alert(1)").waitFor();
  assert.equal(await page.getByRole("link", { name: /javascript/ }).count(), 0);
  assert.equal(await page.locator("#app img").count(), 0);
  await page.setViewportSize(PHONE);
  const { x, width } = await page.getByText(/^long: y+$/).boundingBox();
  assert.ok(x + width <= PHONE.width, "a label is wider than a phone");
});

test("overlap as the server says is told in words and stored, and a stored secret stays one until it has another value", async () => {
  const { server, browser } = held;
  await server.put({ ...RICH, name: "worded" });
  const page = await browser.open(server, "#/edit/worded");
  const secret = page.getByRole("group", { name: "Environment" }).getByRole("checkbox").nth(1);
  assert.equal(await secret.isChecked(), true);
  assert.equal(await secret.isDisabled(), true);
  await page.getByLabel("value of variable 2").fill("known");
  assert.equal(await secret.isDisabled(), false);
  await secret.uncheck();
  await page.getByLabel("While one still runs").selectOption({ label: "as the server says" });
  await page.getByRole("button", { name: "Review and save" }).click();
  const review = page.getByRole("dialog");
  await review.getByRole("row", { name: /overlap.*allow.*skip/ }).waitFor();
  await review.getByRole("button", { name: "Save the change" }).click();
  await page.waitForURL(/#\/job\/worded/);
  const stored = await server.get("job/worded");
  assert.equal(stored.overlap, undefined);
  assert.deepEqual(stored.environmentVariables, [{ name: "A", value: "1" }, { name: "S", value: "known" }]);
});

/** What the page says is taken away is taken away, whatever the server keeps where a body says nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { body, definition, pathOf } from "../../web/data/definition.js";
import { changes } from "../../web/data/diff.js";
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

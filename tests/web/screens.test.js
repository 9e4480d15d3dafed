/**
 * Every screen with lively jobs: nothing in the way of anybody (axe-core), nothing wider than a phone, and what it looks
 * like, in target/screenshots.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, keepScreenshot, overflow, PHONE, shown } from "./support/browser.js";
import { suite } from "./support/suite.js";

/** @type {Awaited<ReturnType<typeof suite>>} */
const held = suite({}, async (server) => {
  const zone = "Europe/Berlin";
  await server.put({ name: "billing.extract", description: "reads the invoices of the day", owner: "billing@example.org", command: "echo reading; echo 'late rows' >&2; echo done", schedule: "30 2 * * *", scheduleTimeZone: zone });
  await server.put({ name: "billing.load", owner: "billing@example.org", command: "printf 'row %s\\n' $(seq 1 200)", parents: ["billing.extract"] });
  await server.put({ name: "billing.report", owner: "billing@example.org,cfo@example.org", command: "echo no figures for France >&2; exit 4", retries: 0, parents: ["billing.load"] });
  await server.put({ name: "billing.mail", owner: "billing@example.org", command: "echo mailed", parents: ["billing.report"] });
  await server.put({ name: "backup.database", owner: "dba@example.org", command: "for i in $(seq 1 100); do echo page $i; done; sleep 600", schedule: "0 3 * * *", environmentVariables: [{ name: "PGPASSWORD", value: "x", secret: true }, { name: "LEVEL", value: "9" }] });
  await server.put({ name: "report.nightly", owner: "bi@example.org", command: "true", schedule: "0 * * * *", disabled: true });
  await server.put({ name: "needs.much", owner: "ml@example.org", command: "true", cpus: 0.1, schedule: "*/20 * * * *" });
  for (let host = 1; host <= 12; host += 1) await server.put({ name: `host${host}.cleanup`, owner: "ops@example.org", command: "true", schedule: `${host * 4} * * * *` });
  const extract = await server.run("billing.extract");
  await server.over(extract);
  await server.run("billing.extract").then((run) => server.over(run));
  const backup = await server.run("backup.database");
  await server.ask("POST", "/scheduler/pause", { job: "host1.cleanup", reason: "the host is being replaced" });
  await server.ask("POST", "/scheduler/backfill", { job: "billing.extract", from: "2026-11-20T00:00:00Z", to: "2026-11-23T00:00:00Z", reason: "the source was wrong" });
  let report = null;
  while (!report) {
    const { runs } = await server.get("runs?job=billing.report&verdict=failed&limit=1");
    report = runs[0] ?? null;
  }
  return [
    { name: "now", hash: "#/now" },
    { name: "jobs", hash: "#/jobs" },
    { name: "job", hash: "#/job/billing.extract" },
    { name: "job-history", hash: "#/job/billing.extract?tab=history" },
    { name: "job-revisions", hash: "#/job/billing.extract?tab=revisions" },
    { name: "job-definition", hash: "#/job/billing.extract?tab=definition" },
    { name: "run-log", hash: `#/run/${backup}` },
    { name: "run-failed", hash: `#/run/${report.id}?tab=explain` },
    { name: "run-attempts", hash: `#/run/${report.id}?tab=attempts` },
    { name: "run-lineage", hash: `#/run/${report.id}?tab=lineage` },
    { name: "run-environment", hash: `#/run/${backup}?tab=environment` },
    { name: "graph", hash: "#/graph" },
    { name: "timeline", hash: "#/timeline" },
    { name: "history", hash: "#/history" },
    { name: "forecast", hash: "#/forecast" },
    { name: "backfill", hash: "#/backfill" },
    { name: "backfill-new", hash: "#/backfill?job=billing.extract" },
    { name: "alerts", hash: "#/alerts" },
    { name: "cluster", hash: "#/cluster" },
    { name: "audit", hash: "#/audit" },
    { name: "new", hash: "#/new" },
    { name: "edit", hash: "#/edit/billing.extract" },
  ];
});

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`in ${colorScheme} colours every screen can be read and used by everybody`, async () => {
    for (const { name, hash } of held.made) {
      const page = await held.browser.open(held.server, hash, { colorScheme });
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      await shown(page);
      await keepScreenshot(page, `${name}-${colorScheme}`);
      assert.deepEqual(await barriers(page), [], name);
      await held.browser.settle();
    }
  });
}

test("on a phone no screen is wider than it", async () => {
  for (const { name, hash } of held.made) {
    const page = await held.browser.open(held.server, hash, { viewport: PHONE, hasTouch: true, isMobile: true });
    await page.getByRole("heading", { level: 1 }).first().waitFor();
      await shown(page);
    await keepScreenshot(page, `${name}-phone`);
    assert.ok((await overflow(page)) <= 0, `${name} is too wide`);
    await held.browser.settle();
  }
});

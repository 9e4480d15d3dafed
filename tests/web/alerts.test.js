/** Incidents, the outbox and the channels: what is seen of them and what is done about them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, keepScreenshot, overflow, PHONE, shown } from "./support/browser.js";
import { asTelling, HOSTILE, incident, LONG, notification } from "./support/alerts.js";
import { until } from "./support/server.js";
import { suite } from "./support/suite.js";

const held = suite({}, async (server) => {
  await server.put({ name: "breaks", command: "exit 3", retries: 0 });
  await server.over(await server.run("breaks"));
});

/** A page of a server that tells people of what happens, at `hash`. */
async function open(hash, given = {}, options = {}) {
  const page = await held.browser.open(held.server, hash, options);
  const telling = await asTelling(page, given);
  await page.reload();
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await shown(page);
  return { page, ...telling };
}
const region = (page, name) => page.getByRole("region", { name, exact: true });
const row = (page, id) => page.locator(`#incident-${id}`);

test("incidents are grouped by who has to do something, the worst and newest first", async () => {
  const { page } = await open("#/alerts");
  const titles = (name) => region(page, name).getByRole("heading", { level: 3 }).allInnerTexts();
  assert.deepEqual(await titles("Nobody looks after it yet"), [
    "notifications do not arrive: channel hook", "billing.report failed", "37 jobs failed: agent 3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S1", "stock.import did not start in time",
  ]);
  assert.deepEqual(await titles("Acknowledged"), [`${LONG} ran longer than expected`]);
  assert.deepEqual(await titles("Silenced"), ["mirror.sync missed a run"]);
  assert.equal(await region(page, "Put right").count(), 0);
  const report = row(page, "i8");
  for (const text of ["12 alerts since 3 h ago, the last 4 min ago", "Told 4 min ago: billing@example.org by mail, slack; not of the last 3."]) await report.getByText(text).waitFor();
  assert.match(await report.getByRole("link", { name: "billing.report" }).getAttribute("href"), /#\/job\/billing\.report/);
  await row(page, "i6").getByText("Nobody was told.").waitFor();
  await row(page, "i5").getByText(`by ada 30 min ago: ${HOSTILE}`).waitFor();
  await row(page, "i4").getByText("by grace until").waitFor();
  await row(page, "i4").getByText("the other site is being moved").waitFor();
  const many = row(page, "i7");
  assert.match(await many.getByRole("link", { name: "etl.part3" }).getAttribute("href"), /#\/job\/etl\.part3/);
  await many.getByText("and 29 more").waitFor();
  // Failures are incidents, so that they are not listed once more.
  assert.equal(await page.getByText("The last run failed").count(), 0);
});

test("an incident opens to its latest alerts, with links, and to what was sent of it", async () => {
  const { page } = await open("#/alerts");
  const report = row(page, "i8");
  await report.getByRole("button", { name: "Details" }).click();
  assert.match(page.url(), /incident=i8/);
  await report.getByText("the newest 3 of 12").waitFor();
  await report.getByText("reminder of 9 alerts").waitFor();
  const alerts = report.getByRole("list").first().getByRole("listitem");
  assert.match(await alerts.nth(0).innerText(), /it printed <img/);
  assert.match(await alerts.nth(0).innerText(), /runbook: javascript:alert\(1\)/);
  assert.equal(await alerts.nth(0).getByRole("link", { name: "runbook" }).count(), 0);
  assert.equal(await alerts.nth(1).getByRole("link", { name: "runbook" }).getAttribute("href"), "https://wiki.example.org/billing");
  assert.match(await alerts.nth(1).getByRole("link", { name: "backfill" }).getAttribute("href"), /#\/backfill\/b3$/);
  assert.match(await alerts.nth(1).innerText(), /tried again \d\d:\d\d.*due next/);
  assert.match(await alerts.nth(2).getByRole("link", { name: "log" }).getAttribute("href"), /#\/run\/j7-s1764158400000$/);
  assert.equal(await page.locator("#app img, #app script").count(), 0);
  await report.getByRole("button", { name: "Details" }).click();
  await until("the address to forget it", () => !page.url().includes("incident="));
});

test("it is acknowledged with a reason, by hand and by keyboard", async () => {
  const { page, asked } = await open("#/alerts");
  await row(page, "i8").getByRole("button", { name: "Acknowledge" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("the source is late");
  await page.getByRole("dialog").getByRole("button", { name: "Acknowledge" }).click();
  await region(page, "Acknowledged").getByText("the source is late").waitFor();
  assert.deepEqual(asked, [{ method: "POST", path: "incident/i8/acknowledge", body: { reason: "the source is late" } }]);

  const leads = async (key, id) => {
    await page.keyboard.press(key);
    await until(`${key} to lead to ${id}`, async () => (await page.evaluate(() => document.activeElement.id)) === `incident-${id}`);
  };
  // Wherever the reader is by other means, keys go on from there; at the ends they stay.
  await row(page, "i9").getByRole("button", { name: "Details" }).focus();
  await leads("k", "i7");
  await leads("k", "i6");
  await leads("k", "i6");
  await leads("j", "i7");
  await page.keyboard.press("Enter");
  await row(page, "i7").getByText("Notifications").waitFor();
  await page.keyboard.press("a");
  await page.getByRole("dialog", { name: /^Acknowledge: 37 jobs failed/ }).getByRole("button", { name: "Acknowledge" }).click();
  await region(page, "Acknowledged").locator("#incident-i7").waitFor();
  assert.deepEqual(asked[1].body, { reason: "" });
  await page.keyboard.press("?");
  await page.getByText("acknowledge the incident").waitFor();
});

test("it is silenced for a while or until an instant, and heard again", async () => {
  const { page, asked } = await open("#/alerts");
  const dialog = page.getByRole("dialog", { name: "Silence: billing.report failed" });
  await row(page, "i8").getByRole("button", { name: "Silence…" }).click();
  await dialog.getByRole("button", { name: "until…" }).click();
  assert.ok(await dialog.getByRole("button", { name: "Silence", exact: true }).isDisabled());
  await dialog.getByLabel("Until").fill("2020-01-01T00:00:00");
  await dialog.getByRole("button", { name: "Silence", exact: true }).click();
  await dialog.getByText("give an instant to come").waitFor();
  await dialog.getByLabel("Until").fill("2099-01-01T00:00:00");
  await dialog.getByLabel("Reason").fill("moving house");
  await dialog.getByRole("button", { name: "Silence", exact: true }).click();
  await region(page, "Silenced").getByText("moving house").waitFor();
  assert.deepEqual(asked[1], { method: "POST", path: "incident/i8/silence", body: { until: "2098-12-31T23:00:00.000Z", reason: "moving house" } });

  await row(page, "i9").getByRole("button", { name: "Silence…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "8 hours" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Silence", exact: true }).click();
  await region(page, "Silenced").locator("#incident-i9").waitFor();
  assert.deepEqual(asked[2], { method: "POST", path: "incident/i9/silence", body: { for: "PT8H", reason: "" } });

  await row(page, "i4").getByRole("button", { name: "End silence" }).click();
  await region(page, "Nobody looks after it yet").locator("#incident-i4").waitFor();
  assert.deepEqual(asked[3], { method: "POST", path: "incident/i4/unsilence", body: {} });
});

test("all of a job is silenced where its incidents are, and heard again", async () => {
  const { page, asked } = await open("#/alerts?job=billing.report");
  await page.getByRole("button", { name: "Silence the job…" }).click();
  const dialog = page.getByRole("dialog", { name: "Silence: all of billing.report" });
  await dialog.getByLabel("Reason").fill(`moving ${HOSTILE}`);
  await dialog.getByRole("button", { name: "Silence", exact: true }).click();
  await page.getByText("Nobody is told of billing.report: silenced by you until").waitFor();
  await page.getByText(`moving ${HOSTILE}`).waitFor();
  assert.equal(await page.getByRole("button", { name: "Silence the job…" }).count(), 0);
  await page.getByRole("button", { name: "End silence" }).click();
  await page.getByRole("button", { name: "Silence the job…" }).waitFor();
  assert.deepEqual(asked, [
    { method: "POST", path: "silence", body: { job: "billing.report", for: "PT1H", reason: `moving ${HOSTILE}` } },
    { method: "POST", path: "unsilence", body: { job: "billing.report" } },
  ]);
  await page.goto(`${held.server.url}/#/alerts`);
  await row(page, "i9").waitFor();
  assert.equal(await page.getByRole("button", { name: "Silence the job…" }).count(), 0);
});

test("what is listed is in the address: by state, by job, and one alone", async () => {
  const { page } = await open("#/alerts");
  await page.getByRole("link", { name: /put right/ }).click();
  await row(page, "i3").getByText("put right 2 h ago").or(row(page, "i3").getByText("put right 1 h 30 min ago")).waitFor();
  assert.equal(await row(page, "i3").getByRole("button", { name: /Acknowledge|Silence/ }).count(), 0);
  assert.match(page.url(), /state=closed/);
  await page.goto(`${held.server.url}/#/alerts`);
  await page.getByLabel("of the job").fill("mirror.sync");
  await page.getByLabel("of the job").press("Enter");
  await until("one to be left", async () => (await page.locator(".incident").count()) === 1);
  assert.match(page.url(), /job=mirror\.sync/);
  await page.goto(`${held.server.url}/#/alerts?job=nothing.at.all`);
  await page.getByText("There is none of nothing.at.all").waitFor();
  await page.getByRole("link", { name: "Those of all jobs" }).click();
  await row(page, "i8").waitFor();
  await page.goto(`${held.server.url}/#/alerts?incident=i3`);
  await region(page, "The one of this address").getByText("backup.database").first().waitFor();
  await page.goto(`${held.server.url}/#/alerts?incident=i999`);
  await page.getByText(/incident .?i999.? not found/).waitFor();
});

test("a thousand incidents are asked for as far as the reader looks", async () => {
  const thousand = Array.from({ length: 1_000 }, (_, index) => incident({ id: `i${5_000 - index}`, key: { job: `etl.part${index}` } }));
  const { page } = await open("#/alerts", { incidents: thousand });
  const limits = [];
  page.on("request", (request) => request.url().includes("/incidents?") && limits.push(Number(new URL(request.url()).searchParams.get("limit"))));
  await page.getByText("The newest 50 of 1,000 are listed.").waitFor();
  for (const amount of ["100", "200", "400"]) {
    await page.getByRole("button", { name: "Show more" }).click();
    await page.getByText(`The newest ${amount} of 1,000 are listed.`).waitFor();
  }
  assert.equal(await page.locator(".incident").count(), 400);
  assert.ok(limits.length >= 4 && limits.every((limit) => limit <= 200), String(limits));
  await page.getByRole("link", { name: "Alerts 1,000 that nobody looks after" }).waitFor();
});

test("who sees a part of the jobs is told that there is more, and no number of all", async () => {
  const many = Array.from({ length: 60 }, (_, index) => incident({ id: `i${100 - index}`, key: { job: `etl.part${index}` } }));
  const sent = Array.from({ length: 60 }, (_, index) => notification({ id: `n${100 - index}` }));
  const { page } = await open("#/alerts", { incidents: many, notifications: sent, scoped: true });
  await page.getByText("The newest 50 are listed.").waitFor();
  assert.match(await page.getByRole("link", { name: /^open/ }).innerText(), /^open\s+60$/);
  assert.equal(await page.getByRole("link", { name: /^put right/ }).innerText(), "put right");
  await page.getByRole("button", { name: "Show more" }).click();
  await until("all to be listed", async () => (await page.locator(".incident").count()) === 60);
  assert.equal(await page.getByText("are listed").count(), 0);
  await page.getByRole("link", { name: "Outbox" }).click();
  await page.getByText("The newest 50 are listed.").waitFor();
  assert.equal(await page.getByRole("link", { name: /^delivered/ }).innerText(), "delivered");
});

test("the outbox shows what has arrived and what has not, by state and channel, and tries again", async () => {
  const { page, asked } = await open("#/alerts?tab=outbox");
  const rows = page.locator(".notifications > li");
  const texts = await rows.allInnerTexts();
  const says = [/held\s+etl@example\.org by mail digest of 1,037 alerts .*and 17 more.* collects until/s, /to be tried again\s+hook alert.* next try .* after 4 tries.*answered 503/s, /given up.* given up \d\d:\d\d.*550 5\.1\.1 no such user/s, /delivered.*reminder of 9 alerts.*arrived/s, /delivered.*recovery backup\.database/s];
  says.forEach((pattern, index) => assert.match(texts[index], pattern));
  await rows.nth(2).getByRole("button", { name: "Try now" }).click();
  await until("it to be due again", async () => /to be tried again/.test(await rows.nth(2).innerText()));
  assert.deepEqual(asked.map(({ method, path }) => `${method} ${path}`), ["POST notification/n7/retry"]);
  await page.getByLabel("channel").selectOption("hook");
  await until("those of the channel", async () => (await rows.count()) === 1);
  await page.getByRole("link", { name: /delivered/ }).click();
  await page.getByText("No notification is delivered by hook").waitFor();
  assert.match(page.url(), /tab=outbox.*channel=hook.*delivery=delivered|delivery=delivered.*channel=hook/);
  await page.goto(`${held.server.url}/#/alerts?tab=outbox&delivery=pending`);
  await until("what is on the way", async () => (await rows.count()) === 3);
});

test("a channel says whether it works, and what came of a test", async () => {
  const { page, asked } = await open("#/alerts?tab=channels");
  await region(page, "channel hook").getByText("does not arrive").waitFor();
  await region(page, "channel hook").getByText("answered 503 three times").waitFor();
  await region(page, "channel pager").getByText("no problem").waitFor();
  const mail = region(page, "channel mail");
  await mail.getByText("no problem").waitFor();
  await mail.getByLabel("recipient of the test").fill("me@example.org");
  await mail.getByRole("button", { name: "Send a test" }).click();
  await mail.getByText("me@example.org by mail: 250 2.0.0 Ok").waitFor();
  assert.deepEqual(asked, [{ method: "POST", path: "channels/test", body: { channel: "mail", recipient: "me@example.org" } }]);
  await region(page, "channel hook").getByRole("link", { name: "1 notification" }).click();
  await page.getByText("next try").waitFor();

  const failing = await open("#/alerts?tab=channels", { tested: { results: [{ channel: "pager", recipient: "", arrived: false, problem: `it said ${HOSTILE}` }] } });
  await region(failing.page, "channel pager").getByRole("button", { name: "Send a test" }).click();
  await region(failing.page, "channel pager").getByText(`pager: it said ${HOSTILE}`).waitFor();
  assert.deepEqual(failing.asked[0].body, { channel: "pager" });
});

test("an incident without a message of its own says why", async () => {
  const { page } = await open("#/alerts?incident=i9");
  await row(page, "i9").getByText("None of its own: it is told in a digest, together with others.").waitFor();
  const quiet = await open("#/alerts?incident=i2", { incidents: [incident({ id: "i2", told: [] })] });
  await row(quiet.page, "i2").getByText("None was made: nobody is to be told of it, or it is silenced.").waitFor();
});

test("who may not act sees everything, and why they may not", async () => {
  const page = await held.browser.open(held.server, "#/alerts?incident=i8");
  await asTelling(page);
  await page.route("**/scheduler/me", (route) => route.fulfill({ json: { name: "vera", role: "viewer", scope: null, credentials: true } }));
  await page.reload();
  const acknowledge = row(page, "i8").getByRole("button", { name: "Acknowledge" });
  await acknowledge.waitFor();
  assert.ok(await acknowledge.isDisabled());
  assert.match(await acknowledge.getAttribute("title"), /needs the role operator; you are viewer/);
  await row(page, "i8").focus();
  await page.keyboard.press("a");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  assert.deepEqual(await page.getByRole("dialog").evaluateAll((all) => all.map((each) => each.getAttribute("aria-label"))), ["Keys"]);
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Channels" }).click();
  assert.match(await region(page, "channel mail").getByRole("button", { name: "Send a test" }).getAttribute("title"), /needs the role admin/);
});

test("where nobody is told of anything, the page says how that is changed", async () => {
  const { page } = await open("#/alerts", { incidents: [], notifications: [], channels: [] });
  await page.getByText("Nothing is wrong").waitFor();
  await page.getByText("No channel is configured, so nobody is told of anything.").waitFor();
  await page.getByRole("link", { name: "Configure one" }).click();
  await page.getByText("--mail_server smtp.example.org").waitFor();
  await page.getByText("chronode notify test").waitFor();
  await page.getByRole("link", { name: "Outbox" }).click();
  await page.getByText("No notification was made").waitFor();
  assert.equal(await page.getByText("that nobody looks after").count(), 0);
});

test("a server that has no incidents shows how its jobs stand", async () => {
  const page = await held.browser.open(held.server, "#/audit");
  await page.route(/\/scheduler\/(incidents|channels)/, (route) => route.fulfill({ status: 404, json: { message: "not found", status: 404 } }));
  await page.goto(`${held.server.url}/#/alerts`);
  await page.reload();
  await region(page, "The last run failed").getByRole("link", { name: "breaks" }).waitFor();
  assert.equal(await page.getByRole("navigation", { name: "parts of the alerts" }).count(), 0);
});

test("what cannot be had is told, and what is there beside it stays", async () => {
  const { page } = await open("#/alerts?tab=outbox");
  await page.route(/\/scheduler\/incidents/, (route) => route.fulfill({ status: 500, json: { message: "the disk is gone", status: 500 } }));
  await page.getByRole("link", { name: "Incidents" }).click();
  await page.getByText("the disk is gone").waitFor();
});

test("incidents come and go by themselves", async () => {
  const page = await held.browser.open(held.server, "#/audit");
  const { incidents } = await asTelling(page);
  let told = 0;
  await page.route("**/scheduler/events*", (route) => {
    told += 1;
    return route.fulfill({ contentType: "text/event-stream", body: `id: ${told}\nevent: incident\ndata: {"id":"${told}","kind":"incident","what":"stored"}\n\n` });
  });
  await page.goto(`${held.server.url}/#/alerts`);
  await page.reload();
  await page.getByRole("link", { name: "Alerts 4 that nobody looks after" }).waitFor();
  incidents.find(({ id }) => id === "i8").state = "closed";
  await page.getByRole("link", { name: "Alerts 3 that nobody looks after" }).waitFor();
  await row(page, "i8").waitFor({ state: "detached" });
});

test("everybody can read and use it, and it is no wider than a phone", async () => {
  const hostile = [notification({ id: "n99", recipient: "x".repeat(300), jobs: [LONG, LONG, LONG], problem: "y".repeat(600), state: "givenUp", deliveredAt: null })];
  const screens = [
    { name: "alerts-incidents", hash: "#/alerts?state=all&incident=i8", given: {} },
    { name: "alerts-outbox", hash: "#/alerts?tab=outbox", given: {} },
    { name: "alerts-outbox-long", hash: "#/alerts?tab=outbox", given: { notifications: hostile } },
    { name: "alerts-channels", hash: "#/alerts?tab=channels", given: {} },
    { name: "alerts-none", hash: "#/alerts?tab=channels", given: { channels: [] } },
  ];
  for (const { name, hash, given } of screens) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      const { page } = await open(hash, given, { colorScheme, viewport: { width: 1280, height: 1500 } });
      await keepScreenshot(page, `${name}-${colorScheme}`);
      assert.deepEqual(await barriers(page), [], name);
      await held.browser.settle();
    }
    const { page } = await open(hash, given, { viewport: PHONE, hasTouch: true, isMobile: true });
    await keepScreenshot(page, `${name}-phone`);
    assert.ok((await overflow(page)) <= 0, `${name} is too wide`);
    await held.browser.settle();
  }
  const { page } = await open("#/alerts");
  await row(page, "i8").getByRole("button", { name: "Silence…" }).click();
  await page.getByRole("button", { name: "until…" }).click();
  assert.deepEqual(await barriers(page), [], "the dialog");
});

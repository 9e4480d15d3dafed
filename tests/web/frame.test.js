/** What holds for every screen: keys, questions, the focus, and screens that cannot be shown. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./support/server.js";
import { suite } from "./support/suite.js";

const held = suite({}, async (server) => {
  for (const name of ["first", "second"]) await server.put({ name, command: "true" });
});
const link = (page, name) => page.getByRole("link", { name, exact: true });

test("Enter on a link or a button does what that says, not what the screen does with the key", async () => {
  const page = await held.browser.open(held.server, "#/jobs");
  await link(page, "first").waitFor();
  await page.keyboard.press("j");
  await page.getByRole("button", { name: "keys and help" }).press("Enter");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await link(page, "New job").press("Enter");
  await page.getByRole("heading", { level: 1, name: /new job/i }).waitFor();
  await page.goBack();
  await link(page, "first").waitFor();
  await page.keyboard.press("j");
  await page.getByRole("row", { selected: true }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/job\/first$/);
});

test("a question goes with its page, and selecting text out of it leaves it open", async () => {
  const page = await held.browser.open(held.server, "#/jobs");
  const ask = async () => {
    await page.getByRole("checkbox", { name: "mark first" }).check();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByRole("dialog").waitFor();
  };
  await ask();
  const heading = await page.getByRole("dialog").getByRole("heading").boundingBox();
  await page.mouse.move(heading.x + 5, heading.y + 5);
  await page.mouse.down();
  await page.mouse.move(5, 5);
  await page.mouse.up();
  await page.getByRole("dialog").waitFor();
  await page.mouse.click(5, 5);
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await ask();
  await page.evaluate(() => (location.hash = "#/cluster"));
  await page.getByRole("heading", { name: "Cluster" }).waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal((await held.server.get("job/first")).paused ?? null, null);
});

for (const screen of ["jobs", "history", "audit"]) {
  test(`what was typed on ${screen} does not follow to another page`, async () => {
    const page = await held.browser.open(held.server, `#/${screen}`);
    await page.locator("[data-search]").waitFor();
    await page.clock.install();
    await page.evaluate(() => {
      const field = document.querySelector("[data-search]");
      field.value = "fir";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      location.hash = "#/cluster";
    });
    await page.getByRole("heading", { name: "Cluster" }).waitFor();
    await page.clock.runFor(2_000);
    assert.match(page.url(), /#\/cluster$/);
  });
}

test("the keyboard goes on in the page that a link led to", async () => {
  const page = await held.browser.open(held.server, "#/jobs");
  await link(page, "first").click();
  await page.waitForURL(/#\/job\/first$/);
  await until("the content to have the focus", () => page.evaluate(() => document.activeElement.id === "content"));
  await link(page, "Jobs").click();
  await page.getByRole("searchbox", { name: /search in names/ }).fill("sec");
  await page.waitForURL(/search=sec/);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "INPUT");
});

test("a part of the page that did not come is asked for again; only another version is called so", async () => {
  const page = await held.browser.open(held.server, "#/jobs");
  await link(page, "first").waitFor();
  let refused = 0;
  await page.route("**/screens/cluster.js", (route) => ((refused += 1) > 1 ? route.continue() : route.abort()));
  await link(page, "Cluster").click();
  await page.getByText("could not be loaded").waitFor();
  await page.getByRole("heading", { name: "Cluster" }).waitFor();
  await page.route("**/screens/alerts/screen.js", (route) => route.fulfill({ status: 404 }));
  await page.route(`${held.server.url}/`, (route) => route.fulfill({ body: '<script type="module" src="./assets/0123/main.js"></script>' }));
  await link(page, "Alerts").click();
  await page.getByText("the server has another version of this page").waitFor();
});

test("a fault of one screen leaves the others within reach", async () => {
  const page = await held.browser.open(held.server, "#/jobs");
  await link(page, "first").waitFor();
  await page.route("**/screens/alerts/screen.js", (route) => route.fulfill({ contentType: "text/javascript", body: 'export default () => { throw new Error("broken on purpose"); };' }));
  await link(page, "Alerts").click();
  await page.getByText("broken on purpose").waitFor();
  await link(page, "Cluster").click();
  await page.getByRole("heading", { name: "Cluster" }).waitFor();
  // It is told to whoever looks for the fault, and to nobody else.
  const told = held.browser.opened.at(-1).complaints.splice(0);
  assert.match(told.join(), /^[^,]*broken on purpose/);
});

/** With credentials configured: who one is, and what one may do. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { suite } from "./support/suite.js";
import { program } from "./support/server.js";

const folder = mkdtempSync(join(tmpdir(), "chronode-credentials-"));
const file = join(folder, "credentials");
const add = (name, role) => /chd_\S+/.exec(execFileSync(program(), ["credential", "add", name, "--role", role, "--credentials", file], { encoding: "utf8" }))[0];
const [admin, viewer] = [add("boss", "admin"), add("reader", "viewer")];
const held = suite({ args: ["--credentials", file], authorization: `Bearer ${admin}` });

test("a wrong secret is refused in words, and a right one lets in", async () => {
  await held.server.put({ name: "guarded", command: "true" });
  const page = await held.browser.open(held.server, "#/jobs");
  await page.getByText("This server wants to know who you are").waitFor();
  await page.getByLabel("Password or token").fill("chd_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Name").fill("boss");
  await page.getByLabel("Password or token").fill(admin);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "guarded", exact: true }).waitFor();
  // The stream is let in too: what changes is seen.
  await held.server.put({ name: "second", command: "true" });
  await page.getByRole("link", { name: "second", exact: true }).waitFor();
  await page.reload();
  await page.getByRole("link", { name: "guarded", exact: true }).waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("This server wants to know who you are").waitFor();
});

test("a token that cannot be one is told of in words, and signing out leaves nothing behind", async () => {
  const page = await held.browser.open(held.server, "#/jobs");
  await page.getByLabel("Password or token").fill("chd_Ω");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("was it copied whole?").waitFor();
  await page.getByLabel("Password or token").fill(viewer);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "guarded", exact: true }).waitFor();
  await page.evaluate(() => sessionStorage.setItem("chronode.draft.guarded", "{}"));
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("This server wants to know who you are").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test("who may only look is told what an action needs", async () => {
  const page = await held.browser.open(held.server, "#/jobs");
  await page.getByLabel("Password or token").fill(viewer);
  await page.getByRole("button", { name: "Sign in" }).click();
  const run = page.getByRole("row", { name: /guarded/ }).getByRole("button", { name: /run guarded now/ });
  await run.waitFor();
  assert.equal(await run.isDisabled(), true);
  assert.equal(await run.getAttribute("title"), "needs the role operator; you are viewer");
});

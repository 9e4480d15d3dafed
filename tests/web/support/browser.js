/** Chromium for tests of the page. Whatever the page complains of fails the test. */

import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { PATIENCE_MS, REPOSITORY } from "./server.js";

const EXECUTABLE = process.env.CHRONODE_CHROMIUM ?? "/usr/bin/chromium-headless-shell";
const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENSHOTS = join(REPOSITORY, "target/screenshots");

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** What Chromium itself says of an answer that is an error; the page tells of it in its own words. */
const ANSWERED = /^Failed to load resource: /;

export class Browser {
  static async start() {
    return new Browser(await chromium.launch({ executablePath: EXECUTABLE, args: ARGS }));
  }

  constructor(chromium) {
    this.chromium = chromium;
    this.opened = [];
  }

  /**
   * A page in a profile of its own.
   * @param {import("./server.js").Server} server
   * @param {string} hash such as `#/now`
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  async open(server, hash, options = {}) {
    const context = await this.chromium.newContext({ viewport: DESKTOP, timezoneId: "Europe/Berlin", acceptDownloads: true, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()) && !ANSWERED.test(message.text())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => {
      complaints.push(`a dialog of the browser: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith("http") && origin !== server.url) complaints.push(`asked elsewhere: ${request.url()}`);
    });
    this.opened.push({ page, complaints });
    await page.goto(`${server.url}/${hash}`);
    return page;
  }

  /** Fails if a page has complained of anything, and closes all. */
  async settle() {
    const opened = this.opened;
    this.opened = [];
    for (const { page } of opened) await page.context().close();
    for (const { complaints } of opened) assert.deepEqual(complaints, []);
  }

  async stop() {
    await this.chromium.close();
  }
}

/**
 * What axe-core finds that keeps somebody out, as one line each.
 * @param {import("playwright-core").Page} page
 */
export async function barriers(page) {
  // In a world of its own, which the policy of the page does not reach.
  await page.evaluate(AXE);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }),
  );
  return found.violations.map(
    (each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.any?.[0]?.message ?? ""}`).join(" | ")}`,
  );
}

/**
 * Keeps what the page looks like, for people to look at.
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function keepScreenshot(page, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

/** Waits until nothing of what a screen shows is still being asked for. */
export async function shown(page) {
  await page.waitForFunction(() => document.querySelectorAll("[aria-busy=true]").length === 0);
}

/** How many CSS pixels the page is wider than the window. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

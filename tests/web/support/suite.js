/** What every file of tests needs: one browser, one server, and nothing left behind. */

import { after, afterEach, before } from "node:test";
import { Browser } from "./browser.js";
import { Server } from "./server.js";

/**
 * @param {Parameters<typeof Server.start>[0]} [options]
 * @returns {{server: Server, browser: Browser}} filled before the first test
 */
export function suite(options) {
  const held = { server: null, browser: null };
  before(async () => {
    [held.server, held.browser] = await Promise.all([Server.start(options), Browser.start()]);
  });
  afterEach(async () => held.browser.settle());
  after(async () => {
    await held.browser?.stop();
    await held.server?.stop();
  });
  return held;
}

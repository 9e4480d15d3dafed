/** What every file of tests needs: one browser, one server, and nothing left behind. */

import { after, afterEach, before } from "node:test";
import { Browser } from "./browser.js";
import { Server } from "./server.js";

/**
 * @template T
 * @param {Parameters<typeof Server.start>[0]} [options]
 * @param {(server: Server) => Promise<T>} [make] what the tests of the file look at
 * @returns {{server: Server, browser: Browser, made: T}} filled before the first test
 */
export function suite(options, make) {
  const held = { server: null, browser: null, made: null };
  before(async () => {
    [held.server, held.browser] = await Promise.all([Server.start(options), Browser.start()]);
    held.made = (await make?.(held.server)) ?? null;
  });
  afterEach(async () => held.browser.settle());
  after(async () => {
    await held.browser?.stop();
    await held.server?.stop();
  });
  return held;
}

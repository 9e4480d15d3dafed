/** What got no answer is asked for again by itself. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../../web/data/http.js";
import { retrying } from "../../../web/data/stream.js";

test("what cannot be answered now is asked again after growing pauses, up to half a minute", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const retry = retrying(() => (asked += 1));
  for (const [turn, pause] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    retry.told(new Problem([0, 429, 503][turn % 3], {}));
    context.mock.timers.tick(pause - 1);
    assert.equal(asked, turn);
    context.mock.timers.tick(1);
    assert.equal(asked, turn + 1);
  }
  retry.told(null);
  retry.told(new Problem(503, {}));
  context.mock.timers.tick(1_000);
  assert.equal(asked, 8);
});

test("an answer, a refusal and an end are not followed by another question", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const retry = retrying(() => (asked += 1));
  for (const told of [null, new Problem(404, {}), new Problem(400, {}), new Error("not understood")]) {
    retry.told(new Problem(0, {}));
    retry.told(told);
    context.mock.timers.tick(100_000);
  }
  retry.told(new Problem(0, {}));
  retry.stop();
  context.mock.timers.tick(100_000);
  assert.equal(asked, 0);
});

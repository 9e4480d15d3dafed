/** What the first screen is made of is named in `index.html`, all of it and nothing else. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL("../../../web/", import.meta.url));

/** The modules that one imports, directly or through others. */
function made(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(WEB, file), "utf8");
  for (const [, from] of text.matchAll(/^(?:import|export)[^;]*? from "(\.[^"]+)";/gm)) made(normalize(join(dirname(file), from)), found);
  return found;
}

test("index.html names the modules of the first screen", () => {
  const wanted = new Set([...made("main.js"), ...made("screens/now.js")]);
  wanted.delete("main.js");
  const index = readFileSync(join(WEB, "index.html"), "utf8");
  const named = [...index.matchAll(/rel="modulepreload" href="\.\/assets\/([^"]+)"/g)].map(([, file]) => file);
  assert.deepEqual(named.toSorted(), [...wanted].toSorted());
});

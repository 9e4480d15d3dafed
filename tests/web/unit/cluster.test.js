import assert from "node:assert/strict";
import { test } from "node:test";
import { bar, constraintText, fateOf, listed, mebibytes, parts, valueOf } from "../../../web/screens/cluster/words.js";
import { constraintOf, operatorOf, OPERATORS } from "../../../web/screens/edit/values.js";
import { chosenAttempt, nameOf, upwards } from "../../../web/screens/run/paths.js";

test("amounts are as large as a person says them", () => {
  assert.deepEqual([0, 512, 1_023.4, 1_536, 10_240, 1_572_864].map(mebibytes), ["0 MiB", "512 MiB", "1023 MiB", "1.5 GiB", "10 GiB", "1.5 TiB"]);
  assert.deepEqual([4, 0.1, 0.30000000000000004, 1.239].map(parts), ["4", "0.1", "0.3", "1.24"]);
});

test("what is not there is not listed", () => {
  assert.equal(listed({ cpus: 1, mem: 512, disk: 0, ports: 2 }), "1 cpu, 512 MiB of memory, 2 ports");
  assert.equal(listed({ cpus: 0.5, mem: 0, disk: 1, ports: 1 }), "0.5 cpus, 1 MiB of disk, 1 port");
  assert.equal(listed({ cpus: 0, mem: 0, disk: 0, ports: 0 }), "nothing");
});

test("values of attributes of every kind have a text", () => {
  const value = (/** @type {any} */ value) => valueOf({ name: "a", kind: "", value });
  assert.deepEqual([value("r1"), value(1.5), value(["a", "b"]), value([]), value(null)], ["r1", "1.5", "{a, b}", "{}", "ranges of numbers"]);
  assert.equal(constraintText(["hostname", "UNIQUE", ""]), "hostname UNIQUE");
});

test("a bar shows what is held beside what is left, or of how much", () => {
  const shows = (/** @type {any} */ share, /** @type {number | null} */ left) => {
    const { used, whole, label } = bar(share, left);
    return [used, whole, label(String)];
  };
  assert.deepEqual(shows({ total: null, used: 2 }, 6), [2, 8, "2 held, 6 left"]);
  assert.deepEqual(shows({ total: 4, used: 1 }, null), [1, 4, "1 of 4"]);
  assert.deepEqual(shows({ total: null, used: 1 }, null), [1, null, "1 held, nothing offered"]);
});

test("each fate of an offer has words of its own, and one that is not known is said as it is", () => {
  const words = ["open", "used", "notWanted", "nothingFits", "else"].map((fate) => fateOf(/** @type {any} */ ({ fate, runs: 1 })).text);
  assert.deepEqual(words, ["open", "1 run placed on it", "declined: nothing waited", "declined: nothing that waits fits", "else"]);
});

test("only what has a value in a constraint keeps it", () => {
  assert.deepEqual(OPERATORS.map(({ word }) => constraintOf("rack", word, "r1")[2]), ["r1", "r1", "r1", "", "r1"]);
  assert.deepEqual(constraintOf("rack", "CLUSTER", undefined), ["rack", "CLUSTER", ""]);
  assert.equal(operatorOf("NEAR").value, "wanted");
});

test("a directory is reached through those above it", () => {
  assert.deepEqual(upwards(""), []);
  assert.deepEqual(upwards("a/b c"), [{ name: "a", directory: "a" }, { name: "b c", directory: "a/b c" }]);
  assert.deepEqual([nameOf("a/b.txt"), nameOf("b.txt")], ["b.txt", "b.txt"]);
  const attempts = [{ attempt: 0 }, { attempt: 1 }];
  assert.deepEqual([chosenAttempt(attempts, "0"), chosenAttempt(attempts, undefined), chosenAttempt(attempts, "7"), chosenAttempt([], "0")], [attempts[0], attempts[1], attempts[1], null]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { drifted } from "../vendor.mjs";

test("what is vendored is what the pinned packages hold", () => {
  assert.deepEqual(drifted(), []);
});

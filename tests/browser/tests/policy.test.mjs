// « CSP reports: 0 » is worth what the listener hears: a script and a style that are not ours are refused by the browser,
// and noticed by the harness that every other test ends with.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "../acts.mjs";
import { ownTerritory } from "../harness.mjs";

const territory = await ownTerritory();

test("a script, a style and a picture from elsewhere are refused, and the harness notices each", async () => {
  const page = await territory.as("Nadia Benali");
  await page.goto(at(territory, "S1"));
  assert.deepEqual(territory.violations, []);
  const injected = {
    script: () => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
    },
    style: () => document.querySelector("h1").setAttribute("style", "color: red"),
    img: () => {
      new Image().src = "https://example.org/x.png";
    },
  };
  for (const [what, inject] of Object.entries(injected)) {
    const heard = page.waitForEvent("console", (message) => /Content Security Policy/i.test(message.text()));
    await page.evaluate(inject);
    await heard;
    assert.equal(territory.violations.length, 1, `${what}: ${territory.violations}`);
    assert.match(territory.violations.pop(), new RegExp(`${what}-src`));
  }
  assert.equal(await page.evaluate(() => window.injected), undefined);
  // What fails in a script of ours is noticed too.
  const failed = page.context().waitForEvent("weberror");
  await page.evaluate(() => {
    setTimeout(() => {
      throw new Error("from a timer");
    });
  });
  await failed;
  assert.deepEqual(territory.violations.splice(0), ["script: from a timer"]);
});

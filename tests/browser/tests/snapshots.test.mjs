// Every state of every page: each snapshot of tests/snapshots/pages, with the real style sheet and under the real content
// policy, on a phone: no rule of axe is broken, in the dark either, nothing scrolls sideways, zoomed either, one heading
// of the first rank.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { OF_COLOUR, PHONE, ZOOMED, accessible, fits, ownTerritory } from "../harness.mjs";
import { folder } from "../server.mjs";

const territory = await ownTerritory();
const snapshots = join(folder, "../snapshots/pages");
const assets = ["", "vendor"].map((part) => join(folder, "../../src/web/assets", part));

test("every state of every page is accessible and fits a phone, in the dark and zoomed too", async () => {
  const context = await territory.context({ viewport: PHONE });
  const page = await context.newPage();
  const policy = (await page.goto(`${territory.base}/connexion`)).headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  const wrong = [];
  await context.route(`${territory.base}/**`, (route) => {
    const name = new URL(route.request().url()).pathname.split("/").pop();
    if (name.endsWith(".html")) {
      return route.fulfill({
        contentType: "text/html; charset=utf-8",
        headers: { "content-security-policy": policy },
        body: readFileSync(join(snapshots, name)),
      });
    }
    const file = assets.map((part) => join(part, name)).find(existsSync);
    if (!file) wrong.push(`${name} is no asset`);
    return file ? route.fulfill({ path: file }) : route.abort();
  });
  const files = readdirSync(snapshots).filter((name) => name.endsWith(".html"));
  assert.ok(files.length >= 300, `${files.length} snapshots only`);
  for (const file of files) {
    await page.goto(`${territory.base}/${file}`, { waitUntil: "load" });
    for (const check of [
      () => accessible(page, file),
      () => fits(page, file),
      async () => assert.equal(await page.locator("h1").count(), 1, `${file}: one h1`),
      async () => {
        await page.emulateMedia({ colorScheme: "dark" });
        await accessible(page, `${file} in the dark`, OF_COLOUR);
      },
      async () => {
        await page.setViewportSize(ZOOMED);
        await fits(page, `${file}, zoomed,`);
      },
    ]) {
      try {
        await check();
      } catch (error) {
        wrong.push(error.message);
      }
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(PHONE);
  }
  assert.deepEqual(wrong, []);
});

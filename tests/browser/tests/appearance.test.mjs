// The pages in the dark, and the first screen of a phone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, ownTerritory } from "../harness.mjs";
import { walk } from "../walk.mjs";

const territory = await ownTerritory();

test("on a phone the page of a pathway begins on the first screen, with a script and without", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await territory.as("Nadia Benali", { viewport: PHONE, javaScriptEnabled });
    for (const part of ["", "/accords", "/partager", "/cercle"]) {
      await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}${part}`);
      const { y } = await page.getByRole("heading", { level: 1 }).boundingBox();
      assert.ok(y <= 300, `${part || "/"}: the heading stands at ${y} of ${PHONE.height} px`);
    }
    // Whoever opens Danger sees where every number is, the last one too.
    await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}/danger`);
    const last = await page.getByRole("listitem").filter({ hasText: "Procureur" }).boundingBox();
    assert.ok(last.y + 24 <= PHONE.height, `the last number stands at ${last.y} of ${PHONE.height} px`);
    await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}`);
    // What is folded is there: one press, and every part can be gone to.
    const parts = page.getByRole("navigation", { name: "Parties du parcours" });
    assert.equal(await parts.getByRole("link").count(), 0, "folded");
    await parts.locator("summary").click();
    await parts.getByRole("link", { name: "Accords" }).click();
    await page.getByRole("heading", { level: 1, name: "Accords" }).waitFor();
    await page.context().close();
  }
});

test("a device in the dark prints as one in the light", async () => {
  const page = await territory.as("Nadia Benali");
  await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}`);
  const colours = () =>
    page.evaluate(() => {
      const names = new Set();
      const walk = (rules) => {
        for (const rule of rules) {
          if (rule.cssRules) walk(rule.cssRules);
          for (const name of rule.style ?? []) if (name.startsWith("--")) names.add(name);
        }
      };
      for (const sheet of document.styleSheets) walk(sheet.cssRules);
      const computed = getComputedStyle(document.documentElement);
      return Object.fromEntries([...names].sort().map((name) => [name, computed.getPropertyValue(name)]));
    });
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  const light = await colours();
  assert.ok(Object.keys(light).length > 50, "the colours are not found");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.deepEqual(await colours(), light);
  await page.context().close();
});

test("the pages in the dark", async () => {
  await walk(territory, "Nadia Benali", { colorScheme: "dark" });
});

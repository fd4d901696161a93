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
      assert.ok(y <= PHONE.height * 0.65, `${part || "/"}: the heading stands at ${y} of ${PHONE.height} px`);
    }
    // What is folded is there: one press, and every part can be gone to.
    const parts = page.getByRole("navigation", { name: "Parties du parcours" });
    assert.equal(await parts.getByRole("link").count(), 0, "folded");
    await parts.locator("summary").click();
    await parts.getByRole("link", { name: "Accords" }).click();
    await page.getByRole("heading", { level: 1, name: "Accords" }).waitFor();
    await page.context().close();
  }
});

test("the pages in the dark", async () => {
  await walk(territory, "Nadia Benali", { colorScheme: "dark" });
});

// The pages in the dark, and the first screen of a phone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DESK, OF_COLOUR, PHONE, accessible, fits, ownTerritory } from "../harness.mjs";
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

/** The colours of everything that a page draws. */
const drawn = (page) =>
  page.locator("main, main *").evaluateAll((all) =>
    all.map((e) => {
      const style = getComputedStyle(e);
      const colours = ["color", "backgroundColor", "borderTopColor", "fill", "stroke"].map((name) => style[name]);
      return `${e.tagName} ${e.getAttribute("class") ?? ""}: ${colours.join(" ")}`;
    }),
  );

/** How the bars of the chart stand out from the paper or the screen behind them (WCAG 1.4.11). */
const contrasts = (page) =>
  page.getByRole("img", { name: "Traces par jour et par décision" }).evaluate((chart) => {
    const rgb = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
      const [r, g, b] = rgb(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let behind = chart;
    while (rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const ground = light(getComputedStyle(behind).backgroundColor);
    return [...chart.querySelectorAll("path")].map((bar) => {
      const bright = light(getComputedStyle(bar).fill);
      return (Math.max(bright, ground) + 0.05) / (Math.min(bright, ground) + 0.05);
    });
  });

test("S4 the auditor's pages and their chart in the dark, and printed by a device in the dark", async () => {
  // The last month that is over.
  await territory.server.tell("go 2027-02-02T09:00:00Z");
  const page = await territory.as("Irène Vidal", { viewport: DESK });
  for (const [where, charted] of [["/controle?from=2027-01-01", true], ["/controle/preuve", false], ["/controle/rapport?mois=2027-01", false]]) {
    await page.goto(territory.base + where);
    for (const media of ["screen", "print"]) {
      await page.emulateMedia({ media, colorScheme: "light" });
      const light = await drawn(page);
      assert.ok(light.length > 20, `${where}: ${light.length} things`);
      await page.emulateMedia({ media, colorScheme: "dark" });
      if (media === "print") assert.deepEqual(await drawn(page), light, `${where} prints otherwise in the dark`);
      else assert.notDeepEqual(await drawn(page), light, `${where} has no dark`);
      // Of paper nothing but its colours is seen.
      await accessible(page, `${where} in the dark, ${media}`, media === "print" ? OF_COLOUR : undefined);
      await fits(page, `${where} in the dark, ${media}`);
      if (charted) {
        const bars = await contrasts(page);
        assert.ok(bars.length > 0, `${where}: no bars`);
        for (const bar of bars) assert.ok(bar >= 3, `${where}, ${media}: a bar has a contrast of ${bar.toFixed(1)}`);
      }
    }
    await page.emulateMedia({ media: "screen", colorScheme: "dark" });
    await page.setViewportSize(PHONE);
    await accessible(page, `${where} in the dark on a phone`);
    await fits(page, `${where} in the dark on a phone`);
    await page.setViewportSize(DESK);
  }
  await page.context().close();
});

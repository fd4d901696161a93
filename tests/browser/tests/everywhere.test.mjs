// Every page that links lead to, as each kind of person, on a phone: it answers, it fits, it breaks no rule of axe, it
// violates no content policy, it has one heading of the first rank, and it is light. Zoomed too, nothing scrolls sideways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, ZOOMED, accessible, fits, ownTerritory } from "../harness.mjs";

const MOST = 60;
const HEAVIEST = 60 * 1024;

const territory = await ownTerritory();

/** Addresses of one kind are looked at once: ids are replaced by a sign. */
const kind = (url) => (url.pathname + [...url.searchParams.keys()].sort().map((k) => `?${k}`).join("")).replace(/[a-z0-9]{26}/g, "·").replace(/\/\d+/g, "/·");

async function walk(name, options = {}) {
  const page = await territory.as(name, { viewport: PHONE, ...options });
  const seen = new Set();
  const waiting = [territory.base + "/"];
  const wrong = [];
  let bytes = 0;
  page.on("response", async (response) => {
    // What the browser keeps is paid for once.
    if (new URL(response.url()).pathname.startsWith("/assets/")) return;
    bytes += Number((await response.allHeaders())["content-length"] ?? 0);
  });
  while (waiting.length > 0 && seen.size < MOST) {
    const url = new URL(waiting.shift());
    if (url.origin !== territory.base || seen.has(kind(url))) continue;
    seen.add(kind(url));
    bytes = 0;
    let response;
    try {
      response = await page.goto(url.href);
    } catch (error) {
      // A file to keep is no page.
      if (/Download is starting/.test(error.message)) continue;
      throw error;
    }
    const type = (await response.allHeaders())["content-type"] ?? "";
    const where = `${name} at ${url.pathname}${url.search}`;
    if (response.status() !== 200) wrong.push(`${where}: ${response.status()}`);
    if (!type.startsWith("text/html")) continue;
    for (const check of [
      () => fits(page, where),
      () => accessible(page, where),
      async () => {
        await page.setViewportSize(ZOOMED);
        await fits(page, `${where}, zoomed,`);
        await page.setViewportSize(PHONE);
      },
      async () => assert.equal(await page.locator("h1").count(), 1, `${where}: one h1`),
      () => assert.ok(bytes <= HEAVIEST, `${where} weighs ${bytes} bytes`),
    ]) {
      try {
        await check();
      } catch (error) {
        wrong.push(error.message);
      }
    }
    for (const link of await page.locator("a[href]").evaluateAll((all) => all.map((a) => a.href))) {
      const to = new URL(link);
      to.hash = "";
      if (to.protocol === "https:") waiting.push(to.href);
    }
  }
  await page.context().close();
  assert.deepEqual(wrong, []);
  return seen.size;
}

for (const name of ["Nadia Benali", "Claire Morel", "Paul Girard", "Hélène Roux", "Odile Simon", "Irène Vidal", "Émile Garnier", "Alice Bernard"]) {
  test(`every page that ${name} can reach`, async () => {
    const count = await walk(name);
    assert.ok(count >= 4, `${name} reaches ${count} pages only`);
  });
}

test("on a phone the page of a pathway begins on the first screen, with a script and without", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await territory.as("Nadia Benali", { viewport: PHONE, javaScriptEnabled });
    for (const part of ["", "/accords", "/partager", "/cercle"]) {
      await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}${part}`);
      const { y } = await page.getByRole("heading", { level: 1 }).boundingBox();
      assert.ok(y <= 300, `${part || "/"}: the heading stands at ${y} of ${PHONE.height} px`);
    }
    // Whoever opens Danger sees every number, the last one too.
    await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}/danger`);
    const last = await page.getByRole("listitem").filter({ hasText: "Procureur" }).boundingBox();
    assert.ok(last.y + last.height <= PHONE.height, `the last number ends at ${last.y + last.height} of ${PHONE.height} px`);
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
  await walk("Nadia Benali", { colorScheme: "dark" });
});

// A walk: every page that links lead to, as one person, on a phone: it answers, it fits, it breaks no rule of axe, it
// violates no content policy, it has one heading of the first rank, it is light, and in a pathway Danger is one step away.
// Zoomed too, nothing scrolls sideways.
import assert from "node:assert/strict";
import { PHONE, ZOOMED, accessible, fits } from "./harness.mjs";

/** More pages of different kinds than this, and the walk fails: it looked at a part only. */
const MOST = 120;
/** Of one kind, this many are asked for where their links lead; the first is looked at. */
const OF_A_KIND = 8;
const HEAVIEST = 60 * 1024;

/** Addresses of one kind are looked at once: ids are replaced by a sign. */
const kind = (url) => (url.pathname + [...url.searchParams.keys()].sort().map((k) => `?${k}`).join("")).replace(/[a-z0-9]{26}/g, "·").replace(/\/\d+/g, "/·");

/** Where the links of a page lead, with what stands behind `#` left out. */
async function leads(page) {
  const links = await page.locator("a[href]").evaluateAll((all) => all.map((a) => a.href));
  return links.filter((link) => link.startsWith("https:")).map((link) => link.replace(/#.*$/, ""));
}

/** The same, of a page that is only asked for. */
async function leadsOf(page, url) {
  const response = await page.context().request.get(url.href);
  if (!(response.headers()["content-type"] ?? "").startsWith("text/html")) return [];
  const html = await response.text();
  return page.evaluate(
    ([body, base]) => {
      const read = new DOMParser().parseFromString(body, "text/html");
      return [...read.querySelectorAll("a[href]")].map((a) => new URL(a.getAttribute("href"), base).href.replace(/#.*$/, ""));
    },
    [html, url.href],
  );
}

/** Walks as this person; answers how many kinds of pages were looked at, and adds every path that answered to `answered`. */
export async function walk(territory, name, { answered = new Set(), ...options } = {}) {
  const page = await territory.as(name, { viewport: PHONE, ...options });
  const asked = new Set();
  const kinds = new Map();
  const waiting = [territory.base + "/"];
  const wrong = [];
  let bytes = 0;
  page.on("response", async (response) => {
    // What the browser keeps is paid for once.
    if (new URL(response.url()).pathname.startsWith("/assets/")) return;
    bytes += Number((await response.allHeaders())["content-length"] ?? 0);
  });
  while (waiting.length > 0) {
    const url = new URL(waiting.shift());
    if (url.origin !== territory.base || asked.has(url.href)) continue;
    const before = kinds.get(kind(url)) ?? 0;
    if (before >= OF_A_KIND) continue;
    asked.add(url.href);
    kinds.set(kind(url), before + 1);
    assert.ok(kinds.size <= MOST, `${name}: more than ${MOST} kinds of pages, and ${waiting.length} addresses still wait`);
    answered.add(url.pathname);
    if (before > 0) {
      waiting.push(...(await leadsOf(page, url)));
      continue;
    }
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
      () => assert.ok(bytes > 0, `${where}: an answer that does not say how long it is weighs nothing here`),
      () => assert.ok(bytes <= HEAVIEST, `${where} weighs ${bytes} bytes`),
      // S20: one step, from every page of a pathway.
      async () => {
        if (!/^\/parcours\/[a-z0-9]{26}/.test(url.pathname)) return;
        assert.equal(await page.getByRole("link", { name: "Danger", exact: true }).count(), 1, `${where}: one way to Danger`);
      },
    ]) {
      try {
        await check();
      } catch (error) {
        wrong.push(error.message);
      }
    }
    waiting.push(...(await leads(page)));
  }
  await page.context().close();
  assert.deepEqual(wrong, []);
  return kinds.size;
}

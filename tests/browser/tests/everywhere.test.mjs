// Every page that links lead to, as each kind of person, on a phone: it answers, it fits, it breaks no rule of axe, it
// violates no content policy, it has one heading of the first rank, and it is light. Zoomed too, nothing scrolls sideways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, write } from "../acts.mjs";
import { PHONE, ZOOMED, accessible, fits, ownTerritory } from "../harness.mjs";

/** More pages of different kinds than this, and the walk fails: it looked at a part only. */
const MOST = 120;
/** Of one kind, this many are asked for where their links lead; the first is looked at. */
const OF_A_KIND = 8;
const HEAVIEST = 60 * 1024;

const territory = await ownTerritory();

const PEOPLE = [
  "Nadia Benali", "Claire Morel", "Samira Haddad", "Julie Lambert", "Paul Girard", "Hélène Roux", "Odile Simon", "Irène Vidal",
  "Émile Garnier", "Alice Bernard",
];

/** What no link of the demonstration leads to, or what is no page, with the test that looks at it. */
const ELSEWHERE = {
  "/assets/{hash}/{name}": "files: tests of the server",
  "/charte/annoncee": "charter.test.mjs",
  "/conservation/demander": "console.test.mjs",
  "/conservation/{pruning}": "console.test.mjs",
  "/controle/chercher": "console.test.mjs",
  "/controle/{index}/examen": "emergency.test.mjs",
  "/identites/{reidentification}": "console.test.mjs",
  "/invitations/{participation}": "stay_prepared.test.mjs",
  "/parcours/{pathway}/cercle/remplacements/{succession}": "succession.test.mjs",
  "/parcours/{pathway}/partager/apercu": "leads back to Partager: snapshots.test.mjs",
  "/parcours/{pathway}/protection/{statute}": "protection.test.mjs",
  "/parcours/{pathway}/qui-a-regarde.csv": "looked.test.mjs",
  "/parcours/{pathway}/qui-a-regarde.html": "snapshots.test.mjs",
  "/parcours/{pathway}/urgences/{emergency}": "emergency.test.mjs",
  "/parcours/{pathway}/validations/preparer": "validation.test.mjs",
  "/parcours/{pathway}/validations/{release}/feuille": "validation.test.mjs",
  "/parcours/{pathway}/validations/{release}/signer": "validation.test.mjs",
  "/responsable/decisions/{decision}/{subject}": "protection.test.mjs, looked.test.mjs",
  "/responsable/places/{participation}/consultations": "looked.test.mjs",
  "/responsable/places/{participation}/consultations/{index}/recu": "a file: tests of the server",
  "/responsable/places/{participation}/qui-a-regarde": "looked.test.mjs",
  "/responsable/places/{participation}/qui-a-regarde.csv": "a file: tests of the server",
  "/structures/affectations/{assignment}/confirmer": "snapshots.test.mjs",
  "/urgences/{emergency}": "emergency.test.mjs",
};

/** Addresses of one kind are looked at once: ids are replaced by a sign. */
const kind = (url) => (url.pathname + [...url.searchParams.keys()].sort().map((k) => `?${k}`).join("")).replace(/[a-z0-9]{26}/g, "·").replace(/\/\d+/g, "/·");

/** Every address that a walk was answered from. */
const answered = new Set();

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

async function walk(name, options = {}) {
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

const SCOLARITE = { "Le fait": "Révise avec sa sœur", "D'où vient-il ?": { choose: "constaté" } };

test("what the walks would not come by: a note of one's own, a text that may join what is shared", async () => {
  const page = await territory.as("Nadia Benali");
  const home = at(territory, "S1");
  await page.goto(`${home}/notes`);
  await page.getByLabel("Nouvelle note").fill("Rappeler le collège lundi.");
  await page.getByRole("button", { name: "Garder cette note" }).click();
  await page.waitForURL(/fait=/);
  await write(page, home, "Scolarité", "Révisions", SCOLARITE);
});

for (const name of PEOPLE) {
  test(`every page that ${name} can reach`, async () => {
    const count = await walk(name);
    assert.ok(count >= 4, `${name} reaches ${count} pages only`);
  });
}

test("every page before signing in", async () => {
  const page = await (await territory.context({ viewport: PHONE })).newPage();
  for (const path of ["/connexion", "/ouvrir", "/au-revoir"]) {
    const response = await page.goto(territory.base + path);
    assert.equal(response.status(), 200, path);
    answered.add(path);
    await accessible(page);
    await fits(page);
  }
});

test("every address that a browser may open was looked at, here or by the test that is named", () => {
  const places = (pattern) => pattern.split("{").length;
  // `/parcours/ouvrir` before `/parcours/{pathway}`.
  const patterns = territory.server.pages.toSorted((a, b) => places(a) - places(b));
  const reads = new Map(patterns.map((p) => [p, new RegExp(`^${p.replaceAll(".", "\\.").replace(/\{[^}]+\}/g, "[^/]+")}$`)]));
  const seen = new Set([...answered].map((path) => patterns.find((p) => reads.get(p).test(path))));
  const unseen = patterns.filter((p) => !seen.has(p));
  assert.deepEqual(unseen.sort(), Object.keys(ELSEWHERE).sort(), "the list of what is looked at elsewhere may only shrink");
});

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
  await walk("Nadia Benali", { colorScheme: "dark" });
});

// Every page that links lead to, as each kind of person (what is looked at: walk.mjs); and what no link leads to is a list.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, prepareAccord } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory } from "../harness.mjs";
import { walk } from "../walk.mjs";

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
  "/parcours/{pathway}/actions/{item}/abandonner": "a confirmation: snapshots.test.mjs",
  "/parcours/{pathway}/cercle/remplacements/{succession}": "succession.test.mjs",
  "/parcours/{pathway}/consultations/reports/{deferral}/fin": "looked.test.mjs",
  "/parcours/{pathway}/partager/apercu": "leads back to Partager: snapshots.test.mjs",
  "/parcours/{pathway}/protection/{statute}": "protection.test.mjs",
  "/parcours/{pathway}/qui-a-regarde.csv": "looked.test.mjs",
  "/parcours/{pathway}/qui-a-regarde.html": "snapshots.test.mjs",
  "/parcours/{pathway}/urgences/{emergency}": "emergency.test.mjs",
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

/** Every path that answered. */
const answered = new Set();

test("what the walks would not come by: a note, a text corrected after it was shared, an accord that waits", async () => {
  const page = await territory.as("Nadia Benali");
  const home = at(territory, "S1");
  await page.goto(`${home}/notes`);
  await page.getByLabel("Nouvelle note").fill("Rappeler le collège lundi.");
  await page.getByRole("button", { name: "Garder cette note" }).click();
  await page.waitForURL(/fait=/);
  await page.goto(home);
  await page.getByRole("link", { name: /^Corriger.*Aide aux devoirs/ }).click();
  await page.getByLabel("Le fait").fill("Vient à l'aide aux devoirs le mardi");
  await page.getByRole("button", { name: /^Enregistrer/ }).first().click();
  await page.waitForURL(/informations\/[a-z0-9]{26}(\?|$)/);
  await prepareAccord(page, home, { purpose: "Coordonner le parcours", service: /Infirmerie/, subjects: ["Besoins pratiques"] });
});

for (const name of PEOPLE) {
  test(`every page that ${name} can reach`, async () => {
    const count = await walk(territory, name, { answered });
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

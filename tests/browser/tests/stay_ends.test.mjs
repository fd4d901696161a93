// S1, the rest of the stay of Lina, who is fifteen: what does not belong on the sheet, a sheet that nobody read before the
// departure, the end at midnight in Paris, and the erasure seven days later. Each test goes on where the one before ended.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, lookWhoReads, reads } from "../acts.mjs";
import { accessible, ownTerritory, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S1");

const CARE = "Traitement à 20 h";
const CLOTHES = "Manque de vêtements chauds";
const UNREAD = "Partage de séjour pas encore lu";

const go = (instant) => territory.server.tell(`go ${instant}`);

test("S1 a subject that does not serve a stay is refused, with the reason", async () => {
  const page = await territory.as("Nadia Benali");
  await lookWhoReads(page, home, ["Aide aux devoirs"], "Préparer un séjour", "2027-02-12");
  const paul = line(page, "Paul Girard");
  assert.match(await paul.innerText(), /^\s*Ne lira pas.*Ce sujet ne sert pas à « Préparer un séjour »\.\s+Retirer ce sujet ou choisir un autre but/s);
  assert.equal(await page.getByLabel("Partager avec Paul Girard").count(), 0);
  // Nor can the family be asked for it.
  await page.goto(`${home}/accords/preparer`);
  await page.getByLabel("Préparer un séjour", { exact: true }).check();
  await page.getByRole("button", { name: /à qui/ }).click();
  await page.getByRole("group", { name: /Séjours et accueils de loisirs/ }).getByLabel("Nommer ce service").check();
  await page.getByRole("button", { name: /quoi/ }).click();
  await page.getByText("Étape 3 sur 4").waitFor();
  assert.match(await text(page), /Avec tout accord pour ce but, ce service peut lire : .*Besoins pratiques/);
  assert.equal(await page.getByLabel("Scolarité", { exact: true }).count(), 0, "outside the pack");
});

test("S1 unread 48 hours before the departure, it is a line of Aujourd'hui, with whom to call, until it is read", async () => {
  await go("2027-01-30T21:00:00Z");
  const before = await territory.as("Claire Morel");
  assert.equal(await before.getByText(UNREAD).count(), 0, "not three days before");
  await go("2027-01-31T09:00:00Z");
  const claire = await territory.as("Claire Morel");
  assert.match(await line(claire, UNREAD).innerText(), /2 février 2027.*Lina Carpentier.*pas encore lu.*appelez/s);
  await accessible(claire);
  await line(claire, UNREAD).getByRole("link", { name: "Voir qui appeler" }).click();
  await claire.getByText("06 01 02 03 05").first().waitFor();
  const paul = await territory.as("Paul Girard");
  assert.ok(await reads(paul, `${home}/sejour`, CARE));
  await claire.goto(territory.base + "/");
  assert.equal(await claire.getByText(UNREAD).count(), 0, "read, it waits no longer");
});

test("S1 the sheet closes at 24:00 of the last day, in Paris", async () => {
  await go("2027-02-12T22:59:00Z");
  const paul = await territory.as("Paul Girard");
  assert.ok(await reads(paul, `${home}/sejour`, CARE), "one minute before midnight");
  await go("2027-02-12T23:00:00Z");
  const refused = await paul.reload();
  assert.equal(refused.status(), 404);
  await paul.goto(territory.base + "/");
  assert.ok(!(await text(paul)).includes("Lina"), "nor is it in a list");
});

test("S1 what was written for the stay is erased seven days later, for its author too", async () => {
  const both = async () => {
    const claire = await territory.as("Claire Morel");
    await claire.goto(home);
    const words = await claire.locator("body").innerText();
    return [CARE, CLOTHES].map((what) => words.includes(what));
  };
  await go("2027-02-19T22:00:00Z");
  await territory.server.tell("job stays");
  assert.deepEqual(await both(), [true, true], "not before seven days");
  await go("2027-02-20T09:00:00Z");
  await territory.server.tell("job stays");
  assert.deepEqual(await both(), [false, false]);
});

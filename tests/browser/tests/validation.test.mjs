// Words that the family validates for one reader: prepared from Partager with the text already chosen, found again in the
// list and on Aujourd'hui, signed, and read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, lookWhoReads, recorded, signOnPaper } from "../acts.mjs";
import { DESK, PHONE, accessible, fits, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S1");

const TITLE = "Trajet du matin";
const SCHOOL = "Soutenir la scolarité";

test("S3 words are validated by the family: prepared, found again, signed, read", async () => {
  const page = await territory.as("Nadia Benali");
  await lookWhoReads(page, home, [TITLE], SCHOOL, "2027-03-12");
  const julie = line(page, "Julie Lambert");
  assert.match(await julie.innerText(), /^\s*Ne lira pas/);
  await julie.getByRole("link", { name: "Faire valider ces mots" }).click();
  await page.getByRole("heading", { level: 1, name: "Faire valider des mots" }).waitFor();
  assert.match(await text(page), new RegExp(`« ${TITLE} »`), "the text that it came from");
  await accessible(page);
  await page.getByRole("button", { name: "Préparer la feuille à signer" }).click();
  await page.getByRole("heading", { name: /mot pour mot/ }).waitFor();
  assert.match(await text(page), /Prend le bus de 7 h 40/);

  // Left for another day: it waits on Aujourd'hui, and in the list.
  await page.goto(territory.base + "/");
  const waits = line(page, "Mots à faire valider par la famille");
  assert.match(await waits.innerText(), /personne n'a encore signé la feuille/);
  await page.goto(`${home}/accords`);
  await page.getByRole("link", { name: "Mots à faire valider" }).click();
  await page.getByRole("heading", { level: 1, name: "Mots à faire valider" }).waitFor();
  assert.match(await text(page), new RegExp(`${TITLE}.*Préparé, la feuille n'est pas encore imprimée`, "s"));
  await accessible(page);
  await picture(page, "mots-a-valider");
  await page.setViewportSize(PHONE);
  await fits(page);
  await accessible(page);
  await picture(page, "mots-a-valider-360");
  await page.setViewportSize(DESK);

  // Nobody else finds it: not even that there is one.
  const samira = await territory.as("Samira Haddad");
  await samira.goto(`${home}/validations`);
  assert.match(await text(samira), /Vous n'avez préparé aucune feuille/);
  await accessible(samira);

  for (const person of [/Karima Carpentier/, /Olivier Carpentier/, "Le jeune"]) {
    await page.goto(`${home}/validations`);
    await page.getByRole("link", { name: /^Enregistrer une signature/ }).click();
    await signOnPaper(page, person, "2027-01-14");
  }
  await page.goto(`${home}/validations`);
  assert.match(await text(page), /Aucune feuille n'attend de réponse.*Validé par la famille/s);
  await page.goto(territory.base + "/");
  assert.ok(!(await text(page)).includes("Mots à faire valider par la famille"));
  await lookWhoReads(page, home, [TITLE], SCHOOL, "2027-03-12");
  assert.match(await line(page, "Julie Lambert").innerText(), /^\s*Lira\s+Julie Lambert/);

  await recorded(
    territory,
    { "Ce qui a été fait": "Signature recueillie", "Sur quoi": "Validation par la famille" },
    /recueilli une signature pour une validation par la famille/,
    ["Lina", "Carpentier", "bus", TITLE],
  );
});

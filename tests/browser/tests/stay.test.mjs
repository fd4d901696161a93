import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, accessible, fits, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();
const pathway = territory.pathway("S1");

test("S1 the camp director reads the sheet and nothing else, and nothing betrays the AEMO", async () => {
  const page = await territory.as("Paul Girard", { viewport: PHONE });
  await page.getByRole("link", { name: "Lina Carpentier" }).click();
  await page.waitForURL("**/sejour");
  const words = await text(page);
  assert.match(words, /Traitement à 20 h/);
  assert.match(words, /vêtements chauds/i);
  assert.match(words, /Transmis par la famille/);
  await accessible(page);
  await fits(page);
  await picture(page, "fiche-sejour-360");
  assert.equal(await page.getByRole("navigation", { name: "Parties du parcours" }).count(), 0, "no parts, no circle");

  const seen = [await page.content()];
  for (const path of ["", "/cercle", "/accords", "/partages", "/passages", "/chronologie", "/consultations", "/danger", "/actions", "/notes"]) {
    await page.goto(`${territory.base}/parcours/${pathway}${path}`);
    seen.push(await page.content());
  }
  await page.goto(territory.base + "/");
  seen.push(await page.content());
  for (const html of seen) {
    for (const secret of ["Claire", "Morel", "AEMO", "Sauvegarde", "judiciaire", "juge des enfants"]) {
      assert.ok(!html.includes(secret), `« ${secret} » stands on a page of the camp director`);
    }
  }
});

test("S1 printing is an act that is noted, and the paper says what becomes of it", async () => {
  const page = await territory.as("Paul Girard");
  await page.goto(`${territory.base}/parcours/${pathway}/sejour`);
  await page.getByRole("button", { name: "Imprimer la fiche" }).click();
  await page.getByRole("status").getByText("L'impression est notée.").waitFor();
  assert.match(await text(page), /à rendre aux parents ou à détruire le/i);
  await accessible(page);
  await picture(page, "fiche-sejour");
});

test("S4 the auditor finds what was done, reads no word of it, verifies and takes a checkpoint away", async () => {
  const page = await territory.as("Irène Vidal");
  await page.waitForURL("**/controle");
  const words = await text(page);
  for (const secret of ["Lina", "Carpentier", "Traitement à 20 h", "Aide aux devoirs"]) assert.ok(!words.includes(secret), secret);
  await accessible(page);
  await picture(page, "controle", { fullPage: false });
  await page.goto(territory.base + "/controle/preuve");
  await accessible(page);
  await picture(page, "preuve");
  await page.getByRole("button", { name: "Vérifier tout le journal" }).click();
  assert.match(
    await page.getByRole("status").innerText(),
    /^\s*Le journal tient\.\s\d+\straces recalculées une à une, \d+\spoints? de contrôle d'accord\.\s*$/,
  );
});

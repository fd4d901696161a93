import assert from "node:assert/strict";
import { test } from "node:test";
import { signOnPaper } from "../acts.mjs";
import { accessible, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();

test("an accord is prepared in four steps, read as a sheet before it exists, and signed", async () => {
  const pathway = territory.pathway("S1");
  const page = await territory.as("Nadia Benali");
  await page.goto(`${territory.base}/parcours/${pathway}/accords`);
  await page.getByRole("link", { name: "Préparer un accord" }).first().click();
  await page.getByLabel("Coordonner le parcours").check();
  await page.getByRole("button", { name: /à qui/ }).click();
  await accessible(page);
  const service = page.getByRole("group", { name: /Infirmerie/ });
  await service.getByLabel("Nommer ce service").check();
  await page.getByRole("button", { name: /quoi/ }).click();
  await page.getByLabel("Besoins pratiques", { exact: true }).check();
  await accessible(page);
  await page.getByRole("button", { name: /jusqu'à quand/ }).click();
  const today = await page.getByLabel("À partir du").inputValue();
  await page.getByRole("button", { name: "Voir la feuille et qui doit signer" }).click();
  const sheet = await text(page);
  for (const must of ["Rien n'est encore enregistré", "Vous pouvez dire non", "Une limite", "la signature du jeune est nécessaire"]) {
    assert.ok(sheet.includes(must), must);
  }
  await accessible(page);
  await picture(page, "accord-resume");
  await page.getByRole("button", { name: "Créer l'accord et sa feuille" }).click();
  await page.getByText("L'accord est prêt.").waitFor();
  await page.getByRole("link", { name: "La feuille à signer" }).click();
  await accessible(page);
  await picture(page, "accord-feuille");
  await page.getByRole("link", { name: "Enregistrer une signature" }).click();

  // Said on the telephone without reading the sheet aloud: refused, told at the field, and what was chosen is kept.
  await page.getByLabel("Le jeune", { exact: true }).check();
  await page.getByRole("radio", { name: "Par téléphone" }).check();
  await page.getByLabel(/Comment savez-vous/).selectOption({ label: "Personne connue du professionnel" });
  await page.getByLabel(/Date portée/).fill(today);
  await page.getByRole("button", { name: "Enregistrer la signature" }).click();
  await page.getByRole("alert").waitFor();
  assert.ok(await page.getByRole("radio", { name: "Par téléphone" }).isChecked());
  await accessible(page);
  await signOnPaper(page, "Le jeune", today);
  assert.match(await text(page), /On attend/);

  // The secretary finds it among what waits, without the name of the young person, and may record the rest.
  const office = await territory.as("Odile Simon");
  const waits = office.getByRole("listitem").filter({ hasText: "Signé en partie" });
  assert.match(await waits.innerText(), /Signatures attendues.*Coordonner le parcours/s);
  assert.ok(!(await text(office)).includes("Lina"));
  await accessible(office);
  await waits.getByRole("link", { name: /Enregistrer ce que la famille a dit/ }).click();
  await office.getByRole("button", { name: "Enregistrer la signature" }).waitFor();
});

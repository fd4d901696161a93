import assert from "node:assert/strict";
import { test } from "node:test";
import { openInEmergency } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();

const REASON = "Malaise pendant une sortie, le SAMU demande les allergies.";

test("S13 opened from Danger with a reason, for a day; the officer is told at once and reviews; the auditor looks at it", async () => {
  const pathway = territory.pathway("S3");
  const page = await territory.as("Samira Haddad", { viewport: PHONE, javaScriptEnabled: false });
  await page.goto(`${territory.base}/parcours/${pathway}/danger`);
  await page.getByRole("link", { name: "Ouvrir en urgence" }).click();
  for (const said of ["D'abord, appelez", "24 heures au plus", "Le délégué à la protection des données, tout de suite"]) {
    assert.ok((await text(page)).includes(said), said);
  }

  // A reason alone does not open: what happens must have been read.
  await page.getByLabel("Pourquoi maintenant ?").fill(REASON);
  await page.getByRole("button", { name: "Ouvrir pour 24 heures" }).click();
  await page.getByText("Cochez la case").first().waitFor();
  assert.equal(await page.getByLabel("Pourquoi maintenant ?").inputValue(), REASON);
  await openInEmergency(page, REASON);
  const open = await text(page);
  assert.match(open, /Jusqu'au .* à .* \(encore (24 h 00|23 h 59) min\)/);
  assert.ok(open.includes("Santé : le strict nécessaire") && open.includes("Identité et contacts"));
  await fits(page);
  await picture(page, "acces-en-urgence-telephone");
  const address = page.url();

  // The officer, at once: the motive, and nobody's name.
  const officer = await territory.as("Émile Garnier");
  await officer.goto(territory.base);
  assert.ok((await text(officer)).includes("a ouvert un accès en urgence"));
  await accessible(officer);
  await officer.getByRole("link", { name: "Lire le motif et examiner" }).click();
  const cases = await text(officer);
  assert.ok(cases.includes("Malaise pendant une sortie") && !cases.includes("Samira"));
  await accessible(officer);
  await officer.getByRole("link", { name: /Rue & Liens/ }).click();
  await picture(officer, "examiner-une-urgence");
  await officer.getByLabel("Justifié", { exact: true }).check();
  await officer.getByLabel("À dire au jeune et à sa famille").check();
  await officer.getByLabel("Vos raisons").fill("Le SAMU le demandait.");
  await accessible(officer);
  await officer.getByRole("button", { name: "Enregistrer mon examen" }).click();
  await officer.getByText("Votre examen est enregistré.").waitFor();

  // Its author ends it, is asked to tell the family, and notes that it knows.
  await page.getByRole("button", { name: "Terminer maintenant" }).click();
  await page.getByText("Votre accès en urgence est terminé.").waitFor();
  await page.goto(address);
  assert.ok(!(await page.locator("body").innerText()).includes("Santé : le strict nécessaire"));
  await page.goto(`${territory.base}/parcours/${pathway}/urgence`);
  await fits(page);
  await page.getByRole("button", { name: "Noter qu'ils le savent" }).click();
  await page.getByText("C'est noté.").waitFor();

  // The auditor's queue.
  const auditor = await territory.as("Irène Vidal");
  await auditor.goto(`${territory.base}/controle`);
  await auditor.getByRole("link", { name: "Accès à examiner un par un" }).click();
  assert.match(await text(auditor), /a ouvert un accès en urgence/);
  await accessible(auditor);
  await auditor.getByRole("link", { name: /^Examiner/ }).first().click();
  await auditor.getByLabel("Rien à signaler").check();
  await accessible(auditor);
  await picture(auditor, "examiner-un-acces");
  await auditor.getByRole("button", { name: "Enregistrer mon examen" }).click();
  await auditor.getByText("Rien n'attend d'examen ici.").waitFor();
  await auditor.getByRole("link", { name: "Voir aussi ce qui est déjà examiné" }).click();
  assert.ok((await text(auditor)).includes("Rien à signaler"));
});

test("S13 the page before opening is accessible and fits a telephone", async () => {
  const page = await territory.as("Nadia Benali", { viewport: PHONE });
  await page.goto(`${territory.base}/parcours/${territory.pathway("S3")}/urgence`);
  await accessible(page);
  await fits(page);
  await picture(page, "ouvrir-en-urgence-telephone");
});

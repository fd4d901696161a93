import assert from "node:assert/strict";
import { test } from "node:test";
import { DESK, PHONE, accessible, fits, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();

const sheet = (page) => page.locator(".sheet").innerText();

test("S12 who looked is a sheet for one person, and a line that is told later is decided by somebody else", async () => {
  const pathway = territory.pathway("S1");
  const reader = await territory.as("Samira Haddad");
  await reader.goto(`${territory.base}/parcours/${pathway}`);

  const page = await territory.as("Nadia Benali");
  await page.goto(`${territory.base}/parcours/${pathway}/consultations`);
  await accessible(page);
  await page.getByRole("link", { name: "Préparer la feuille « Qui a regardé ? »" }).click();
  await accessible(page);
  const parent = page.getByRole("radio").nth(1);
  await parent.check();
  await page.getByRole("button", { name: "Préparer la feuille" }).click();
  const whole = await sheet(page);
  assert.match(whole, /Qui a regardé/);
  assert.match(whole, /Ville de Val-d'Orme/);
  for (const never of ["Benali", "Haddad", "0611223344"]) assert.ok(!whole.includes(never), never);
  await accessible(page);
  await picture(page, "qui-a-regarde");

  // A table to take away: every cell is text.
  const address = await page.getByRole("link", { name: "Emporter un tableau" }).getAttribute("href");
  const table = await page.context().request.get(territory.base + address);
  assert.match(table.headers()["content-disposition"], /qui-a-regarde-.*\.csv/);
  assert.match(await table.text(), /"Jour";"Profession";"Structure"/);

  // On a telephone, and on two sheets of paper at most.
  await page.setViewportSize(PHONE);
  await fits(page);
  await picture(page, "qui-a-regarde-telephone");
  const pdf = await page.pdf({ format: "A4" });
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page[^s]/g).length;
  assert.ok(pages <= 2, `${pages} pages`);
  await page.setViewportSize(DESK);

  // Told later: asked here, decided by the manager.
  await page.goto(`${territory.base}/parcours/${pathway}/consultations`);
  await page.getByRole("link", { name: /Reporter cette ligne : Référent/ }).first().click();
  await page.getByRole("button", { name: "Demander la décision" }).waitFor();
  await accessible(page);
  await page.getByLabel("Tous les parents").check();
  await page.getByLabel(/Toutes celles de ce métier/).check();
  await page.getByLabel(/^Pourquoi/).selectOption({ label: "La sécurité d'un parent" });
  await page.getByLabel(/Ce que votre responsable doit savoir/).fill("Une séparation en cours, avec des menaces.");
  await picture(page, "reporter-une-ligne");
  await page.getByRole("button", { name: "Demander la décision" }).click();
  await page.getByText("Attend la décision d'un responsable").waitFor();
  await accessible(page);

  const manager = await territory.as("Hélène Roux");
  assert.match(await text(manager), /Qui a regardé \? » : reporter une ligne/);
  await accessible(manager);
  await manager.getByRole("link", { name: "Lire et décider" }).first().click();
  assert.match(await text(manager), /La sécurité d'un parent : Une séparation en cours/);
  await accessible(manager);
  const now = Date.parse(await territory.server.tell("seconds 1"));
  const review = new Date(now + 20 * 86_400_000).toISOString().slice(0, 10);
  await manager.getByRole("radio", { name: /^Oui/ }).check();
  await manager.getByLabel(/jour où vous revoyez/).fill(review);
  await manager.getByLabel("Vos raisons").fill("Danger établi par le service.");
  await picture(manager, "decider-un-report");
  await manager.getByRole("button", { name: "Enregistrer ma décision" }).click();
  await manager.getByText("Votre décision est enregistrée.").waitFor();

  await page.goto(`${territory.base}/parcours/${pathway}/qui-a-regarde`);
  await page.getByRole("radio").nth(1).check();
  await page.getByRole("button", { name: "Préparer la feuille" }).click();
  assert.match(await sheet(page), /ne figure(nt)? pas ici/);
  await accessible(page);
  await picture(page, "qui-a-regarde-reportee");
  await page.getByRole("radio", { name: "Le jeune" }).check();
  await page.getByRole("button", { name: "Préparer la feuille" }).click();
  assert.doesNotMatch(await sheet(page), /pas ici/);

  await page.goto(`${territory.base}/parcours/${pathway}/consultations/reports`);
  await page.getByRole("link", { name: /Remettre sur la feuille/ }).click();
  await page.getByRole("button", { name: "Remettre sur la feuille" }).click();
  await page.getByText("Terminé : figure sur la feuille").waitFor();
});

test("S12 the manager of a service that others may not know hands out the sheet of that service", async () => {
  const manager = await territory.as("Anne Fabre");
  await manager.goto(`${territory.base}/responsable`);
  await manager.getByRole("link", { name: /Claire Morel/ }).first().click();
  await manager.getByRole("link", { name: /Qui a regardé/ }).click();
  await accessible(manager);
  await manager.getByLabel("Le jeune").check();
  await manager.getByRole("button", { name: "Préparer la feuille" }).click();
  assert.match(await sheet(manager), /celle de notre service/);
  await accessible(manager);
  await manager.setViewportSize(PHONE);
  await fits(manager);

  // What stands behind that sheet, with a receipt for each line.
  await manager.goto(`${territory.base}/responsable`);
  await manager.getByRole("link", { name: /Claire Morel/ }).first().click();
  await manager.getByRole("main").getByRole("link", { name: "Qui a consulté, avec les reçus" }).click();
  await manager.getByRole("heading", { level: 1, name: "Qui a consulté" }).waitFor();
  await accessible(manager);
  await fits(manager);
  await picture(manager, "consultations-du-service-360");
});

// The report of a month is a page for a steering group: on paper it is the report, and nothing of the program around it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ownTerritory } from "../harness.mjs";

const territory = await ownTerritory();

test("S4 the report of a month prints without navigation, buttons and forms", async () => {
  await territory.server.tell("go 2027-02-02T09:00:00Z");
  const page = await territory.as("Irène Vidal");
  await page.goto(`${territory.base}/controle/rapport?mois=2027-01`);
  await page.getByRole("heading", { name: /Contrôle des accès : janvier 2027/ }).waitFor();
  const body = page.locator("body");
  const around = ["nav a", "main button", "main a.button", "footer a", "header.masthead a", "label"];
  const words = (await Promise.all(around.map((what) => page.locator(what).allInnerTexts()))).flat();
  const names = words.map((word) => word.trim()).filter((word) => word !== "");
  for (const known of ["Imprimer ce rapport", "Emporter le rapport signé", "Montrer ce mois", "Mon compte"]) {
    assert.ok(names.includes(known), `${known} is on the screen: ${names}`);
  }

  await page.emulateMedia({ media: "print" });
  const printed = await body.innerText();
  for (const always of ["Contrôle des accès : janvier 2027", "Le journal tient", "Ce qui attend", "Consultations par but"]) {
    assert.ok(printed.includes(always), `${always} is printed`);
  }
  const lines = printed.split("\n").map((line) => line.trim());
  for (const never of names) assert.ok(!lines.includes(never), `${never} is not printed`);
  for (const never of ["Irène Vidal", "Quitter vite", "session ouverte", "Se déconnecter", "démonstration"]) {
    assert.ok(!printed.includes(never), `${never} is not printed`);
  }
  for (const what of ["nav", "header.masthead", "footer", "form", "button", ".no-print"]) {
    for (const one of await page.locator(what).all()) assert.ok(!(await one.isVisible()), `${what} is not printed`);
  }
  const pdf = await page.pdf({ format: "A4" });
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page[^s]/g).length;
  assert.ok(pages <= 3, `${pages} pages`);
});

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
  const waits = office.getByRole("listitem").filter({ hasText: "Signé en partie" }).filter({ hasText: "Carpentier" });
  assert.match(await waits.innerText(), /Signatures attendues.*Coordonner le parcours/s);
  assert.ok(!(await text(office)).includes("Lina"));
  // Who signs tells families apart that have the same référent.
  assert.match(await waits.innerText(), /référent Nadia Benali · .*Carpentier/);
  await accessible(office);
  await waits.getByRole("link", { name: /Enregistrer ce que la famille a dit/ }).click();
  await office.getByRole("button", { name: "Enregistrer la signature" }).waitFor();
});

/** Prepares an accord as far as its summary: services by name, each with the first texts that can be shown. */
async function summaryOf(page, home, purpose, services, texts) {
  await page.goto(`${home}/accords/preparer?purpose=${purpose}`);
  for (const service of services) await page.getByRole("group", { name: service }).getByLabel("Nommer ce service").check();
  await page.getByRole("button", { name: /quoi/ }).click();
  await page.getByText("Étape 3 sur 4").waitFor();
  for (const subject of await page.getByRole("group", { name: "Sujets à nommer" }).getByRole("checkbox").all()) await subject.check();
  for (const words of await page.getByRole("group", { name: "Mots exacts à montrer sur la feuille" }).all()) {
    for (const word of (await words.getByRole("checkbox").all()).slice(0, texts)) await word.check();
  }
  await page.getByRole("button", { name: /jusqu'à quand/ }).click();
  await page.getByRole("button", { name: "Voir la feuille et qui doit signer" }).click();
  await page.getByRole("heading", { name: "Voici la feuille, et qui doit la signer" }).waitFor();
}

/** How many A4 pages this page prints on. */
async function printed(page) {
  const paper = (await page.pdf({ format: "A4", printBackground: true })).toString("latin1");
  return paper.match(/\/Type\s*\/Page[^s]/g).length;
}

test("the sheet of four services with two exact texts prints on two pages, and a longer one says so beforehand", async () => {
  const home = `${territory.base}/parcours/${territory.pathway("S1")}`;
  const page = await territory.as("Nadia Benali");
  const told = async () => {
    const match = (await text(page)).match(/Cette feuille fera (\d+) pages : faites deux accords/);
    return match ? Number(match[1]) : 2;
  };
  await page.goto(`${home}/accords/preparer?purpose=coordination`);
  const names = await page.locator("fieldset legend").allInnerTexts();
  const groups = names.map((name) => new RegExp(name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  assert.ok(groups.length >= 6, `${groups.length} services`);

  // Everything that can be named for every service of the territory: too long, and told before anything exists.
  await summaryOf(page, home, "coordination", groups, 9);
  const all = await told();
  assert.ok(all > 2, await text(page));
  await accessible(page);
  await page.getByRole("button", { name: "Créer l'accord et sa feuille" }).click();
  await page.getByText("L'accord est prêt.").waitFor();
  await page.getByRole("link", { name: "La feuille à signer" }).click();
  assert.ok((await printed(page)) <= all, "never more pages than told");

  await summaryOf(page, home, "coordination", groups.slice(0, 4), 2);
  assert.equal(await told(), 2);
  await page.getByRole("button", { name: "Créer l'accord et sa feuille" }).click();
  await page.getByText("L'accord est prêt.").waitFor();
  await page.getByRole("link", { name: "La feuille à signer" }).click();
  const sheet = await text(page);
  assert.match(sheet, /Cochez ce que vous acceptez\. Une case vide veut dire non\./);
  assert.ok(sheet.includes("2. "), "two exact texts");
  // One box for each who signs, under each service, and one place to sign for each.
  const toSign = await page.getByRole("listitem").filter({ hasText: /le\s*signature\s*$/ }).allInnerTexts();
  const places = toSign.map((place) => place.split(/\s+le\s+signature/)[0].trim());
  assert.ok(places.length >= 3, places.join());
  const boxes = await page.getByRole("paragraph").filter({ hasText: /^\s*☐/, hasNotText: "lu à voix haute" }).allInnerTexts();
  assert.equal(boxes.length, 4);
  for (const one of boxes) for (const place of places) assert.ok(one.includes(`☐ ${place}`), `${place} in ${one}`);
  assert.ok((await printed(page)) <= 2, "two pages");
});

test("each step of an accord is a page: Back and Forward go through them with what was chosen", async () => {
  const home = `${territory.base}/parcours/${territory.pathway("S1")}`;
  const page = await territory.as("Nadia Benali");
  await summaryOf(page, home, "coordination", [/Infirmerie/], 0);
  for (const step of [4, 3, 2]) {
    await page.goBack();
    await page.getByText(`Étape ${step} sur 4`).waitFor();
  }
  await page.goForward();
  await page.getByText("Étape 3 sur 4").waitFor();
  await page.goForward();
  await page.goForward();
  const { search } = new URL(page.url());
  assert.match(search, /who=[a-z0-9]{26}\..*&starts=|starts=.*&who=/);
  assert.ok(!/[^a-z0-9_.=&?-]/.test(search), "ids, codes and days, and no words");
  await page.getByRole("heading", { name: "Voici la feuille, et qui doit la signer" }).waitFor();
});

test("the page of a signature says what it opens, and what follows an accord is prepared from it", async () => {
  const page = await territory.as("Nadia Benali");
  const end = page.getByRole("listitem").filter({ hasText: "Accord qui prend fin" }).first();
  await end.getByRole("link", { name: /préparer la suite/ }).click();
  await accessible(page);
  await page.getByRole("link", { name: "Préparer la suite de cet accord" }).click();
  await page.getByText("Étape 3 sur 4").waitFor();
  assert.match(page.url(), /replaces=[a-z0-9]{26}/);
  await page.getByRole("button", { name: /jusqu'à quand/ }).click();
  await page.getByRole("button", { name: "Voir la feuille et qui doit signer" }).click();
  await page.getByRole("button", { name: "Créer l'accord et sa feuille" }).click();
  await page.getByText("L'accord est prêt.").waitFor();
  await page.getByRole("link", { name: "Enregistrer ce que la famille a dit" }).click();
  const before = await text(page);
  assert.match(before, /Ce que cette signature ouvre/);
  assert.match(before, /signe : (il manquera encore|pourra lire)/);
  await accessible(page);
});

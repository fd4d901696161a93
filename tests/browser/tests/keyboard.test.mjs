// Without a mouse: an accord and a handover from their first page to their last. (Partager: partager.test.mjs.)
import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "../acts.mjs";
import { arrowTo, ownTerritory, tabTo, text } from "../harness.mjs";

const territory = await ownTerritory();

/** Goes to what has this name, and presses `key` on it. */
async function press(page, name, key = "Enter") {
  await tabTo(page, name);
  await page.keyboard.press(key);
}

/** What has the focus can be seen to have it. */
async function focusIsSeen(page) {
  const drawn = await page.evaluate(() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 || style.boxShadow !== "none";
  });
  assert.ok(drawn, `the focus is not seen on ${page.url()}`);
}

test("S2 a handover with the keyboard alone: declined, proposed anew in its four steps, accepted and confirmed by both", async () => {
  const home = at(territory, "S2");
  const claire = await territory.as("Claire Morel");
  await claire.goto(`${home}/passages`);
  await press(claire, "Ouvrir le passage de relais");
  await claire.waitForURL(/passages\/[a-z0-9]{26}/);
  await press(claire, "Décliner");
  await claire.getByText("C'est décliné.").waitFor();

  const samira = await territory.as("Samira Haddad");
  await samira.goto(`${home}/passages`);
  await press(samira, "Passer le relais");
  await samira.getByText("Étape 1 sur 4").waitFor();
  await arrowTo(samira, /Claire Morel/);
  await press(samira, "qu'est-ce qui part");
  await samira.getByText("Étape 2 sur 4").waitFor();
  await press(samira, "Retour au collège", "Space");
  assert.ok(await samira.getByRole("checkbox", { name: /Retour au collège/ }).isChecked());
  await focusIsSeen(samira);
  await press(samira, "jusqu'à quand");
  await samira.getByText("Étape 3 sur 4").waitFor();
  await press(samira, "et après");
  await samira.getByText("Étape 4 sur 4").waitFor();
  await press(samira, "Voir le résumé");
  await samira.getByText("Rien n'est encore enregistré").waitFor();
  assert.match(await text(samira), /Claire Morel.*« Retour au collège »/s);
  await press(samira, "Proposer le passage de relais");
  await samira.waitForURL(/passages\/[a-z0-9]{26}/);

  await claire.goto(territory.base + "/");
  await press(claire, "Lire et répondre");
  await claire.waitForURL(/passages\/[a-z0-9]{26}/);
  await press(claire, "Accepter de prendre le relais");
  await claire.waitForURL(/fait=/);
  await press(claire, "Confirmer que le relais est passé");
  await claire.getByText("Vous avez confirmé que le relais est passé.").waitFor();

  await samira.reload();
  await press(samira, "Confirmer que le relais est passé");
  await samira.getByText("Le relais est passé.").first().waitFor();
  assert.match(await text(samira), /Le relais est passé/);
});

test("S2 a handover begun with the keyboard alone: to whom, what, until when, and after", async () => {
  const home = at(territory, "S1");
  const page = await territory.as("Samira Haddad");
  await page.goto(`${home}/passages`);
  await press(page, "Passer le relais");
  await page.waitForURL("**/passages/nouveau");
  await arrowTo(page, /Claire Morel/);
  await press(page, "qu'est-ce qui part");
  await page.getByText("Étape 2 sur 4").waitFor();
  // She has written nothing that may go: the page says what to do, and the keyboard leads there.
  await tabTo(page, "Écrivez d'abord");
  await focusIsSeen(page);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/ecrire");
});

test("an accord with the keyboard alone, from its purpose to a signature", async () => {
  // A day that every browser types alike: the second of the second month.
  await territory.server.tell("go 2027-02-02T09:00:00Z");
  const home = at(territory, "S1");
  const page = await territory.as("Nadia Benali");
  await page.goto(`${home}/accords`);
  await press(page, "Préparer un accord");
  await page.getByRole("heading", { name: "Préparer un accord" }).waitFor();
  // The first thing that Tab reaches leads past the head of the page.
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.innerText), "Aller au contenu");
  await page.keyboard.press("Enter");
  await press(page, "Coordonner le parcours", "Space");
  await press(page, "à qui");
  await page.getByText("Étape 2 sur 4").waitFor();
  // Several services are offered: the one of the group that says « Infirmerie ».
  await page.getByRole("group", { name: /Infirmerie/ }).waitFor();
  for (let i = 0; i < 80; i += 1) {
    await tabTo(page, "Ne pas le nommer");
    if (await page.evaluate(() => document.activeElement.closest("fieldset").innerText.includes("Infirmerie"))) break;
  }
  await focusIsSeen(page);
  // Nobody is named at first: the arrow goes from there to « Nommer ce service ».
  await page.keyboard.press("ArrowDown");
  assert.ok(await page.getByRole("group", { name: /Infirmerie/ }).getByLabel("Nommer ce service").isChecked());
  await press(page, "quoi");
  await page.getByText("Étape 3 sur 4").waitFor();
  await press(page, "Besoins pratiques", "Space");
  await press(page, "jusqu'à quand");
  await page.getByText("Étape 4 sur 4").waitFor();
  await press(page, "Voir la feuille et qui doit signer");
  await page.getByRole("heading", { name: "Voici la feuille, et qui doit la signer" }).waitFor();
  await press(page, "Créer l'accord et sa feuille");
  await page.getByText("L'accord est prêt.").waitFor();

  // The sheet was signed on paper: who, how, where it is kept, how it is known, and when.
  await press(page, "Enregistrer ce que la famille a dit");
  await page.waitForURL("**/signer");
  await arrowTo(page, /^Le jeune$/);
  await arrowTo(page, "Feuille signée");
  await tabTo(page, "Où l'original");
  await page.keyboard.type("Bureau du service, classeur des accords");
  await tabTo(page, "Comment savez-vous");
  await focusIsSeen(page);
  await page.keyboard.type("Personne connue");
  assert.equal(await page.getByLabel(/Comment savez-vous/).inputValue(), "known");
  await tabTo(page, "Date portée");
  await focusIsSeen(page);
  await page.keyboard.type("02022027");
  assert.equal(await page.getByLabel(/Date portée/).inputValue(), "2027-02-02");
  await press(page, "Enregistrer la signature");
  await page.getByText("La signature est enregistrée.").waitFor();
});

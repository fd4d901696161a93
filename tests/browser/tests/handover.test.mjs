// S2 from beginning to end: what was proposed is declined, proposed anew, accepted and confirmed by both; then each reads
// what is theirs. Each test goes on where the one before ended.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, reads, recorded, write } from "../acts.mjs";
import { accessible, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S2");

const SCHOOL = "A repris les cours le matin depuis trois semaines";
const FAMILY = "Dort chez sa tante en semaine";
const REPORTS = /rend compte au juge des enfants/;
const PROPOSE = "Proposer le passage de relais";
const CONFIRM = "Confirmer que le relais est passé";

let handover;

/** Somebody's page of what is handed over. */
async function theirs(name) {
  const page = await territory.as(name);
  await page.goto(handover);
  return page;
}

/** The steps of Samira, up to what goes. */
async function begins(page, pathway, name) {
  await page.goto(`${pathway}/passages`);
  await page.getByRole("link", { name: "Passer le relais" }).click();
  await page.getByText("Étape 1 sur 4").waitFor();
  await page.getByRole("radio", { name }).check();
  await page.getByRole("button", { name: /qu'est-ce qui part/ }).click();
  await page.getByText("Étape 2 sur 4").waitFor();
}

/** From what goes to the summary. */
async function summarises(page) {
  await page.getByRole("button", { name: /jusqu'à quand/ }).click();
  await page.getByText("Étape 3 sur 4").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: /et après/ }).click();
  await page.getByText("Étape 4 sur 4").waitFor();
  assert.match(await text(page), /vous ne lirez plus que ce que vous avez écrit/);
  await page.getByRole("button", { name: "Voir le résumé" }).click();
  await page.getByText("Rien n'est encore enregistré").waitFor();
}

test("S2 the other side declines without a reason, and has read no word", async () => {
  const claire = await territory.as("Claire Morel");
  await line(claire, "Passage de relais à accepter").getByRole("link", { name: "Lire et répondre" }).click();
  assert.match(await text(claire), REPORTS);
  assert.ok(!(await text(claire)).includes(SCHOOL), "subjects, no words");
  await claire.getByRole("button", { name: "Décliner" }).click();
  await claire.getByText("C'est décliné.").waitFor();
  assert.ok(!(await reads(claire, home, SCHOOL)));
});

test("S2 without an accord nothing goes: each piece says so, and why", async () => {
  const samira = await territory.as("Samira Haddad");
  // Nobody agreed to a handover of Lina.
  const lina = at(territory, "S1");
  await write(samira, lina, "Scolarité", "Révisions", { "Le fait": "Révise au local le mercredi", "D'où vient-il ?": { choose: "constaté" } });
  await begins(samira, lina, /Claire Morel/);
  assert.match(await text(samira), /« Révisions »\s+Ne peut pas partir\.\s+Il n'y a pas d'accord en cours/);
  assert.equal(await samira.getByRole("checkbox").count(), 0, "nothing to tick");
  await samira.getByRole("link", { name: /préparer un accord pour passer le relais/ }).waitFor();
  await accessible(samira);
});

test("S2 what may not go does not, by a form that was tampered with either", async () => {
  const samira = await territory.as("Samira Haddad");
  await write(samira, home, "Situation familiale", "À la maison", { "Le fait": FAMILY, "D'où vient-il ?": { choose: "constaté" } });
  const family = samira.url().match(/informations\/([a-z0-9]{26})/)[1];
  await begins(samira, home, /Claire Morel/);
  await samira.getByRole("checkbox").check();
  await samira.getByRole("checkbox").evaluate((box, id) => (box.value = id), family);
  await summarises(samira);
  await samira.getByRole("button", { name: PROPOSE }).click();
  assert.match(await samira.getByRole("alert").innerText(), /Claire Morel.* ne lira pas « Situation familiale »/);
  await accessible(samira);
});

test("S2 proposed anew: she sees what may go, what may not and why, and a summary before anything is written", async () => {
  const samira = await territory.as("Samira Haddad");
  await samira.goto(`${home}/passages`);
  assert.match(await text(samira), /Décliné/);
  await begins(samira, home, /Claire Morel.*rend compte au juge des enfants/s);
  const pieces = await text(samira);
  assert.match(pieces, /« À la maison »\s+Ne peut pas partir\.\s+La famille a donné un accord général\. Ce sujet doit être nommé\./);
  assert.match(pieces, /« Retour au collège »\s+Peut partir\. Lira jusqu'au 11 juillet 2027/);
  assert.equal(await samira.getByRole("checkbox").count(), 1, "only what may go can be ticked");
  await accessible(samira);
  await samira.getByRole("checkbox").check();
  await summarises(samira);
  const summary = await text(samira);
  assert.match(summary, /Claire Morel.*rend compte au juge des enfants.*« Retour au collège »/s);
  assert.ok(!summary.includes("« À la maison »"));
  await accessible(samira);
  await samira.getByRole("button", { name: PROPOSE }).click();
  await samira.waitForURL(/passages\/[a-z0-9]{26}/);
  handover = samira.url().replace(/\?.*$/, "");
  assert.match(await text(samira), REPORTS);
});

test("S2 the other side reads the sheet, accepts, and both confirm", async () => {
  const claire = await territory.as("Claire Morel");
  await line(claire, "Passage de relais à accepter").getByRole("link", { name: "Lire et répondre" }).click();
  assert.equal(claire.url(), handover);
  const sheet = await text(claire);
  assert.match(sheet, /Scolarité/);
  assert.match(sheet, REPORTS);
  assert.match(sheet, /Vous voyez les sujets, pas encore les mots/);
  assert.ok(!sheet.includes(SCHOOL));
  await accessible(claire);
  await picture(claire, "passage-de-relais");
  await claire.getByRole("button", { name: "Accepter de prendre le relais" }).click();
  await claire.getByRole("button", { name: CONFIRM }).click();
  await claire.getByText("Vous avez confirmé que le relais est passé.").waitFor();
  assert.ok(!(await reads(claire, home, SCHOOL)), "one of two is not enough");

  const samira = await theirs("Samira Haddad");
  assert.match(await text(samira), REPORTS);
  await samira.getByRole("button", { name: CONFIRM }).click();
  await samira.getByText("Le relais est passé.").first().waitFor();
});

test("S2 then one reads what was handed over, the other only what she wrote, and the family's sheet says who reports", async () => {
  const claire = await territory.as("Claire Morel");
  assert.ok(await reads(claire, home, SCHOOL));
  assert.ok(!(await reads(claire, home, FAMILY)), "what could not go did not");
  await claire.goto(`${home}/cercle`);
  assert.match(await line(claire, "Samira Haddad").innerText(), /Apporte, ne reçoit pas/i);

  const samira = await territory.as("Samira Haddad");
  assert.ok(await reads(samira, home, SCHOOL), "she wrote it");
  await samira.goto(`${home}/cercle`);
  assert.match(await line(samira, "Samira Haddad").innerText(), /Apporte, ne reçoit pas/i);
  await accessible(samira);
  // What somebody else writes and shares does not reach her any more.
  await write(claire, home, "Scolarité", "Suite", { "Le fait": "Un emploi du temps aménagé", "D'où vient-il ?": { choose: "constaté" } });
  await claire.goto(`${home}/partager`);
  await claire.getByLabel(/Suite/).check();
  await claire.getByLabel("Pourquoi ?").selectOption({ label: "Coordonner le parcours" });
  await claire.getByRole("button", { name: "Voir qui lira" }).click();
  await claire.getByRole("heading", { name: "Qui lira ?" }).waitFor();
  assert.match(await line(claire, "Samira Haddad").innerText(), /^\s*Ne lira pas.*Son service apporte des informations mais n'en reçoit pas/s);

  await samira.goto(`${home}/feuille-de-la-famille`);
  await samira.getByRole("link", { name: /La feuille pour\s: Le jeune/ }).click();
  const sheet = await text(samira);
  assert.match(sheet, /Scolarité.*Pour que le service suivant connaisse/s);
  assert.match(sheet, REPORTS);
});

test("S2 whether it had to begin « à partir de 0 » is answered once, and stays with no colleague", async () => {
  const claire = await theirs("Claire Morel");
  assert.match(await text(claire), /Avez-vous dû recommencer à partir de 0 \?/);
  await claire.getByLabel("Oui : à partir de 0").check();
  await accessible(claire);
  await claire.getByRole("button", { name: "Répondre" }).click();
  await claire.getByText("C'est noté.").waitFor();
  await claire.goto(handover);
  assert.equal(await claire.getByRole("button", { name: "Répondre" }).count(), 0);
  assert.ok(!(await text(claire)).includes("à partir de 0"), "what was answered is read by nobody");
  const samira = await theirs("Samira Haddad");
  assert.ok(!(await text(samira)).includes("à partir de 0"));

  await recorded(
    territory,
    { "Ce qui a été fait": "Confirmation par une seconde personne", "Sur quoi": "Passage de relais" },
    /confirmé, en seconde personne, un passage de relais/,
    ["Yanis", "Oumar", SCHOOL, FAMILY, "Morel", "Haddad", "Retour au collège"],
  );
});

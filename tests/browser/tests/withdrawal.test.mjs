// S6: a parent changes their mind on the telephone. Whoever hears it records it; reading stops with the next page, and who
// read learns that an accord ended, not by whom nor why.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, reads, recorded } from "../acts.mjs";
import { accessible, ownTerritory, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S1");

const HOMEWORK = "Vient à l'aide aux devoirs le mardi et le jeudi";
const CARE = "Traitement à 20 h";
const CLOTHES = "vêtements chauds";
const SECRETS = ["Lina", "Carpentier", "Karima", "Olivier", HOMEWORK, CARE, CLOTHES, "Haddad", "Samira"];

/** Somebody who is told on the telephone that a part stops, and records it. */
async function withdraw(name, part, list, choice) {
  const page = await territory.as(name);
  await page.goto(`${home}/accords`);
  await page.getByRole("link", { name: "La famille ne veut plus" }).click();
  await page.getByLabel("Un parent, je ne sais pas lequel").check();
  await page.getByLabel("Par téléphone").check();
  await page.getByLabel(part).check();
  await page.getByLabel(list).selectOption({ label: choice });
  await page.getByRole("button", { name: /Enregistrer\s: le partage s'arrête/ }).click();
  await page.getByText("n'est plus lu à partir de maintenant").waitFor();
  await page.context().close();
}

test("S6 for one subject: the page that was open is refused when it is asked for again, the rest is read", async () => {
  const paul = await territory.as("Paul Girard");
  assert.ok(await reads(paul, `${home}/sejour`, CLOTHES));
  await withdraw("Samira Haddad", "Un sujet, choisi ci-dessous", /Quel sujet\s\?/, "Besoins pratiques");
  const again = await paul.reload();
  assert.equal(again.status(), 200);
  const words = await text(paul);
  assert.ok(words.includes(CARE), "another subject is still read");
  assert.ok(!words.includes(CLOTHES), "on the next request");
});

test("S6 for one person: a colleague whose page is open is refused, as what is absent; the others read on", async () => {
  const nadia = await territory.as("Nadia Benali");
  await nadia.goto(home);
  const homework = (await nadia.getByRole("link", { name: /^Corriger.*Aide aux devoirs/ }).evaluate((a) => a.href)).replace("/corriger", "");
  const julie = await territory.as("Julie Lambert");
  await julie.goto(homework);
  assert.ok((await text(julie)).includes(HOMEWORK));

  await withdraw("Samira Haddad", "Un service ou une personne, choisi ci-dessous", /Quel service ou quelle personne/, "Julie Lambert");
  const refused = await julie.reload();
  assert.equal(refused.status(), 404);
  await julie.getByRole("heading", { name: "Introuvable" }).waitFor();
  await accessible(julie);
  const words = await refused.body();
  const absent = await julie.goto(`${territory.base}/parcours/aaaaaaaaaaaaaaaaaaaaaaaaaa`);
  assert.ok(words.equals(await absent.body()), "refused and absent are one page");
  assert.ok(await reads(await territory.as("Paul Girard"), `${home}/sejour`, CARE), "he is not concerned");

  // She learns that an accord ended: of whom, by whom and why, nothing.
  await julie.goto(territory.base + "/");
  const today = await text(julie);
  assert.match(today, /Un accord a pris fin/);
  for (const secret of SECRETS) assert.ok(!today.includes(secret), `« ${secret} » is told to who read`);
  await accessible(julie);
});

test("S6 for everything: two clicks, and nobody reads; the secretary records one too", async () => {
  const samira = await territory.as("Samira Haddad");
  await samira.goto(`${home}/accords`);
  await samira.getByRole("link", { name: "La famille ne veut plus" }).click();
  await accessible(samira);
  await samira.getByRole("button", { name: /Enregistrer\s: le partage s'arrête/ }).click();
  await samira.getByText("n'est plus lu à partir de maintenant").waitFor();
  await accessible(samira);
  assert.ok(!(await reads(await territory.as("Paul Girard"), `${home}/sejour`, CARE)));

  const office = await territory.as("Odile Simon");
  await office.getByRole("link", { name: "Secrétariat" }).first().click();
  await accessible(office);
  await office.getByRole("link", { name: "La famille ne veut plus" }).first().click();
  await office.getByRole("button", { name: /Enregistrer\s: le partage s'arrête/ }).click();
  await office.getByText("C'est noté").first().waitFor();

  await recorded(territory, { "Ce qui a été fait": "Retrait recueilli", "Sur quoi": "Accord" }, /a recueilli un retrait pour un accord/, SECRETS);
  await recorded(
    territory,
    { Profession: "Enseignant, CPE, direction d'établissement", "Sur quoi": "Élément d'information", Décision: "Refusé" },
    /n'a pas pu consulter un élément d'information/,
    SECRETS,
  );
});

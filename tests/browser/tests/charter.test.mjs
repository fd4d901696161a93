// S14: a new version of the charter is announced in words, signed ahead or in one click, and binds who has not signed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, prepareAccord, recorded, share, signAccord, write } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S5");

const HOME = "Cherche une chambre près du lycée";
const PROJECT = "Cherche un apprentissage en cuisine";

async function reads(page, words) {
  await page.goto(home);
  return (await page.locator("body").innerText()).includes(words);
}

test("S14 the charter changes: told in words, signed by structures and in one click by people, stricter for who waits", async () => {
  // Before: the mission locale reads on housing, with an accord that shows the words.
  const marc = await territory.as("Marc Delattre");
  await write(marc, home, "Logement", "Chambre", { "Le fait": HOME, "D'où vient-il ?": { choose: "dit par le jeune" } });
  await prepareAccord(marc, home, { purpose: "Coordonner le parcours", service: /Mission locale de l'Orme/, words: ["Chambre", "Projet"], last: "2027-04-12" });
  await signAccord(marc, [/Linh Nguyen/, /Paul Nguyen/, "Le jeune"], "2027-01-14");
  assert.match(await text(marc), /En cours jusqu'au/);
  await share(marc, home, ["Chambre"], "Coordonner le parcours", ["Rémi Colin"], "2027-04-12");
  const remi = await territory.as("Rémi Colin");
  assert.ok(await reads(remi, HOME));

  // Announced thirty days ahead, with the differences in words; nothing changes yet.
  await territory.server.tell("publish");
  await remi.getByRole("link", { name: "Charte" }).first().click();
  const card = remi.getByRole("region", { name: /Une nouvelle version s'appliquera le 13 février 2027/ });
  assert.match(await card.innerText(), /[Mm]ission locale[^\n]*logement/i);
  await accessible(remi);
  await picture(remi, "charte", { fullPage: false });
  assert.ok(await reads(remi, HOME), "announced is not in force");

  // Nadia's structure signs ahead, and so does she, from the page of the version announced.
  const helene = await territory.as("Hélène Roux");
  await helene.goto(territory.base + "/");
  await helene.getByText(/À partir du .* 2027, sans votre signature, vous ne lirez plus rien/).waitFor();
  await helene.getByRole("link", { name: "Lire et signer" }).click();
  await helene.waitForURL("**/charte/annoncee");
  await accessible(helene);
  await helene.getByRole("button", { name: /Signer pour Ville de Val-d'Orme/ }).click();
  await helene.getByText("La signature est enregistrée.").waitFor();
  await helene.getByRole("button", { name: "J'ai lu, je signe en mon nom" }).click();
  await helene.getByText("La signature est enregistrée.").waitFor();
  assert.match(await text(helene), /Signée par vous.*Signée par votre structure/s);

  // On the day, whoever has not signed reads nothing; one click at sign-in, on a phone, and the work goes on.
  await territory.server.tell("go 2027-02-13T09:00:00Z");
  const again = await territory.as("Rémi Colin", { viewport: PHONE });
  assert.ok(!(await reads(again, PROJECT)), "not signed");
  await again.goto(territory.base + "/");
  await again.getByText("La charte attend votre signature. Sans elle, vous ne lisez rien.").waitFor();
  await again.getByRole("link", { name: "Lire et signer" }).click();
  await fits(again);
  await accessible(again);
  await again.getByRole("button", { name: "J'ai lu, je signe en mon nom" }).click();
  await again.getByText("La signature est enregistrée.").waitFor();
  // His structure has not: the stricter of both versions binds for ninety days at most.
  assert.ok(await reads(again, PROJECT), "goes on");
  assert.ok(!(await reads(again, HOME)), "the new version closes housing to the mission locale");
  const waiting = await territory.as("Hélène Roux");
  assert.equal(await waiting.getByText(/charte attend votre signature/).count(), 0, "signed ahead");

  await recorded(territory, { "Ce qui a été fait": "Signature recueillie", "Sur quoi": "Structure" }, /a signé la charte pour une structure/, ["Roux"]);
});

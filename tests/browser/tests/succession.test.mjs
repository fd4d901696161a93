// S21 and S8: somebody is away in August, then leaves. The service goes on, nothing is signed again, and the family or
// who shares may stop it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, recorded, share, write } from "../acts.mjs";
import { DESK, PHONE, accessible, fits, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S1");

const WORDS = "Révise au local le mercredi";

/** On the page of a place: names David for it, until a last day or for good. */
async function appoint(anne, lastDay) {
  await anne.getByLabel(/David Lopes/).check();
  await anne.getByRole("radio", { name: lastDay ? /Un remplacement/ : /Une succession/ }).check();
  if (lastDay) await anne.getByLabel(/Dernier jour du remplacement/).fill(lastDay);
  await accessible(anne);
  await anne.getByRole("button", { name: "Nommer cette personne" }).click();
  await anne.getByText("La personne est nommée.").waitFor();
}

/** Names David for every place of Claire, and has him accept; answers his page. */
async function replaceClaire(lastDay) {
  const anne = await territory.as("Anne Fabre");
  await anne.getByRole("link", { name: "Responsable" }).first().click();
  await accessible(anne);
  const links = anne.getByRole("link", { name: /^Claire Morel/ });
  const addresses = await links.evaluateAll((all) => all.map((a) => a.href));
  assert.ok(addresses.length >= 1);
  for (const address of addresses) {
    await anne.goto(address);
    await appoint(anne, lastDay);
  }
  for (const secret of ["Lina", "Carpentier", "Yanis", WORDS]) {
    assert.ok(!(await anne.content()).includes(secret), "a manager decides on motives, and reads no name");
  }
  const david = await territory.as("David Lopes");
  for (let left = addresses.length; left > 0; left -= 1) {
    await david.goto(territory.base + "/");
    await line(david, /vous demande de/).getByRole("link", { name: "Lire l'invitation" }).click();
    await accessible(david);
    await david.getByRole("button", { name: /Accepter/ }).click();
    await david.waitForURL(/fait=accepte/);
  }
  return david;
}

const reads = async (page) => {
  await page.goto(home);
  return (await page.locator("body").innerText()).includes(WORDS);
};

test("S21 in August a colleague stands in: both read, nothing is signed again, and it ends by itself", async () => {
  const samira = await territory.as("Samira Haddad");
  await write(samira, home, "Scolarité", "Révisions", { "Le fait": WORDS, "D'où vient-il ?": { choose: "constaté" } });
  await share(samira, home, ["Révisions"], "Coordonner le parcours", ["Claire Morel"], "2027-06-30");
  const shared = samira.url();
  const signatures = async () => {
    await samira.goto(`${home}/accords`);
    return (await text(samira)).match(/signé|attend/gi)?.length ?? 0;
  };
  const before = await signatures();

  const david = await replaceClaire("2027-02-04");
  assert.ok(await reads(david), "the share follows the place");
  assert.ok(await reads(await territory.as("Claire Morel")), "and she still reads");
  assert.equal(await signatures(), before, "nothing to sign again");

  // Who shares is told, with until when, and by whom it was read.
  await samira.goto(shared);
  assert.match(await line(samira, "David Lopes").innerText(), /lu le 14 janvier 2027/i);
  await samira.goto(`${home}/cercle`);
  assert.match(await line(samira, "David Lopes").innerText(), /À la place de Claire Morel/);
  const told = samira.getByRole("listitem").filter({ hasText: "remplace" });
  assert.match(await told.innerText(), /David Lopes.* remplace Claire Morel.*, jusqu'au 4 février 2027 inclus\.\s+en cours/);
  await accessible(samira);
  await picture(samira, "cercle");

  // Who does not know that there is an AEMO learns of no stand-in either.
  const julie = await territory.as("Julie Lambert");
  await julie.goto(`${home}/cercle`);
  for (const secret of ["David", "Claire", "emplace"]) assert.ok(!(await julie.content()).includes(secret), secret);

  await territory.server.tell("go 2027-02-05T08:00:00Z");
  assert.ok(!(await reads(await territory.as("David Lopes"))), "the day after the last");
  assert.ok(await reads(await territory.as("Claire Morel")));
  await recorded(territory, { "Ce qui a été fait": "Acceptation", "Sur quoi": "Participation" }, /accepté une participation/, ["Lopes", "Lina"]);
});

test("S8 somebody leaves: her access ends at once, a successor takes the place, and the family may stop it", async () => {
  const claire = await territory.as("Claire Morel");
  assert.ok(await reads(claire));
  // Her manager ends the affectation; the page that she asks for next is refused.
  const anne = await territory.as("Anne Fabre");
  await anne.getByRole("link", { name: "Structures" }).first().click();
  await anne.getByRole("link", { name: "Sauvegarde de l'Orme" }).click();
  await anne.getByRole("link", { name: "Terminer, pour Claire Morel" }).click();
  await accessible(anne);
  assert.match(await text(anne), /Les parcours restent à la structure/);
  await anne.getByRole("button", { name: /Terminer/ }).click();
  await anne.waitForURL(/fait=/);
  assert.ok(!(await reads(claire)), "on the next request");
  // Who signs in again finds no work, no pathway and no name.
  const gone = await territory.as("Claire Morel");
  await gone.getByRole("heading", { level: 1, name: "Vous ne pouvez pas encore travailler ici" }).waitFor();
  await accessible(gone);
  for (const page of ["/", "/parcours", `/parcours/${territory.pathway("S1")}`, `/parcours/${territory.pathway("S2")}`]) {
    await gone.goto(territory.base + page);
    const words = await gone.content();
    for (const secret of ["Lina", "Carpentier", "Yanis", "Oumar", WORDS]) assert.ok(!words.includes(secret), `« ${secret} » at ${page}`);
    assert.equal(await gone.getByRole("main").getByRole("link", { name: /parcours/i }).count(), 0, `no pathway at ${page}`);
  }

  await anne.getByRole("link", { name: "Responsable" }).first().click();
  assert.match(await text(anne), /s'en va/);
  const david = await replaceClaire(null);
  assert.ok(await reads(david), "the shares follow the place");

  // The family does not want this person: anybody of the circle who is told records it, on a page that says what stops.
  const samira = await territory.as("Samira Haddad", { viewport: PHONE });
  await samira.goto(`${home}/cercle`);
  await fits(samira);
  const told = samira.getByRole("listitem").filter({ hasText: "succède à" });
  await told.getByRole("link", { name: /Arrêter ce remplacement/ }).click();
  await samira.getByRole("heading", { name: "Arrêter un remplacement" }).waitFor();
  await fits(samira);
  await accessible(samira);
  await picture(samira, "arreter-un-remplacement-360");
  assert.ok(await reads(david), "looking stops nothing");
  // Without saying who asks, nothing is recorded, and it is told at the field.
  await samira.getByRole("button", { name: "Arrêter ce remplacement" }).click();
  await samira.getByRole("alert").waitFor();
  await accessible(samira);
  await fits(samira);
  await samira.getByLabel(/Le jeune ou sa famille ne veut pas/).check();
  await samira.getByRole("button", { name: "Arrêter ce remplacement" }).click();
  await samira.getByText("Le remplacement est arrêté.").waitFor();
  await samira.setViewportSize(DESK);
  assert.match(await samira.getByRole("listitem").filter({ hasText: "succède à" }).innerText(), /arrêté/);
  assert.ok(!(await reads(david)), "on the next request");
  await recorded(territory, { "Ce qui a été fait": "Fin", "Sur quoi": "Remplacement", Décision: "Autorisé" }, /mis fin à un remplacement/, ["Lopes", "Morel", "Lina"]);
});

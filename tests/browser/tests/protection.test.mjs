// S7: sharing to protect a child, without the accord, between two who are bound; decided by a second person, and over by
// itself when nobody looks at it again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, recorded, write } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S1");

const WORDS = "Ne rentre plus chez elle le soir";
const TITLE = "À la maison";
const WHY = "Seule la référente sait où la jeune est chaque matin.";

/** The form, but for whom it is for. */
async function fill(page) {
  await page.getByLabel("Un danger pour l'enfant", { exact: true }).check();
  await page.getByLabel(/strictement nécessaire/).fill(WHY);
  await page.getByLabel(new RegExp(TITLE)).check();
  const parents = page.getByRole("group", { name: /Les parents ont-ils été informés/ });
  await parents.getByLabel(/contraire à l'intérêt de l'enfant/).check();
  await parents.getByLabel("Pourquoi ?").selectOption({ label: "Informer mettrait l'enfant en danger" });
  const child = page.getByRole("group", { name: /L'enfant a-t-il été informé/ });
  await child.getByLabel("Oui, avant ce partage").check();
  await child.getByLabel("Quel jour ?").fill("2027-01-14");
}

test("S7 two who are bound share to protect a child: danger stated, a second person decides, and it lapses", async () => {
  const nadia = await territory.as("Nadia Benali");
  await write(nadia, home, "Situation familiale", TITLE, { "Le fait": WORDS, "D'où vient-il ?": { choose: "constaté" } });
  await nadia.goto(`${home}/partager`);
  const teacher = await (async () => {
    await nadia.getByLabel(/Aide aux devoirs/).check();
    await nadia.getByLabel("Pourquoi ?").selectOption({ label: "Soutenir la scolarité" });
    await nadia.getByRole("button", { name: "Voir qui lira" }).click();
    return nadia.getByLabel("Partager avec Julie Lambert").getAttribute("value");
  })();
  await nadia.getByRole("link", { name: "Le partage prévu par la loi" }).click();
  await nadia.waitForURL("**/protection");
  const form = await text(nadia);
  assert.match(form, /L'enfant est en danger maintenant \? N'écrivez pas ici : appelez/);
  for (const free of ["Julie Lambert", "Paul Girard"]) assert.ok(!form.includes(free), `${free} is not bound, and not offered`);
  await accessible(nadia);

  // The same act towards somebody who is not bound, by a form that was tampered with: refused, and told why.
  await fill(nadia);
  const samira = nadia.getByLabel(/Samira Haddad/);
  await samira.check();
  await samira.evaluate((box, id) => (box.value = id), teacher);
  await nadia.getByRole("button", { name: /Enregistrer, sans partager encore/ }).click();
  assert.match(await nadia.getByRole("alert").innerText(), /qu'entre deux professionnels tenus au secret/);
  assert.equal(await nadia.getByLabel(/strictement nécessaire/).inputValue(), WHY, "what was written is kept");
  await accessible(nadia);

  await nadia.getByLabel(/Samira Haddad/).check();
  await nadia.getByRole("button", { name: /Enregistrer, sans partager encore/ }).click();
  await nadia.waitForURL(/protection\/[a-z0-9]{26}/);
  assert.match(await text(nadia), /Votre responsable, tenu au secret, doit décider/);
  assert.equal(await nadia.getByRole("link", { name: /Voir qui lira, puis partager/ }).count(), 0, "not before the decision");
  await accessible(nadia);
  const record = nadia.url().replace(/\?.*$/, "");

  // The second person reads what was stated and the motive, no word of the item, and decides.
  const helene = await territory.as("Hélène Roux");
  await line(helene, "À décider").getByRole("link", { name: "Lire et décider" }).click();
  const asked = await text(helene);
  assert.ok(asked.includes(WHY), asked);
  for (const secret of ["Lina", "Carpentier", WORDS]) assert.ok(!asked.includes(secret), `« ${secret} » is read by who decides`);
  await accessible(helene);
  await helene.getByRole("radio", { name: /^Oui/ }).check();
  await helene.getByLabel("Vos raisons").fill("Le danger est établi par le service.");
  await helene.getByRole("button", { name: "Enregistrer ma décision" }).click();
  await helene.getByText("Votre décision est enregistrée.").waitFor();

  // Only now may it be shared, with those whom it names and nobody else.
  await nadia.goto(record);
  await picture(nadia, "partage-protege", { fullPage: true });
  await nadia.getByRole("link", { name: /Voir qui lira, puis partager/ }).click();
  await nadia.getByRole("heading", { name: "Qui lira ?" }).waitFor();
  assert.match(await text(nadia), /Partage prévu par la loi pour protéger un enfant/);
  assert.match(await line(nadia, "Samira Haddad").innerText(), /^\s*Lira\s+Samira Haddad/);
  assert.match(await line(nadia, "Julie Lambert").innerText(), /^\s*Ne lira pas/);
  await accessible(nadia);
  await nadia.getByLabel("Partager avec Samira Haddad").check();
  await nadia.getByRole("button", { name: "Partager avec les personnes cochées" }).click();
  await nadia.waitForURL(/partages\/[a-z0-9]{26}/);

  // Samira reads it, and why she may; the teacher learns of none of it.
  const reader = await territory.as("Samira Haddad", { viewport: PHONE });
  await reader.goto(`${home}?but=protection`);
  await reader.getByRole("link", { name: TITLE }).first().click();
  await reader.getByRole("heading", { level: 1, name: TITLE }).waitFor();
  assert.ok((await text(reader)).includes(WORDS));
  await fits(reader);
  await accessible(reader);
  const read = reader.url();
  const julie = await territory.as("Julie Lambert");
  for (const part of ["", "/partages", "/chronologie", "/cercle"]) {
    await julie.goto(home + part);
    for (const secret of [WORDS, "L226-2-2", "prévu par la loi"]) {
      assert.ok(!(await text(julie)).includes(secret), `« ${secret} » on ${part} of the teacher`);
    }
  }

  // The auditor: that it was recorded, decided and read, by which rule, and no word of it.
  const secrets = ["Lina", "Carpentier", WORDS, WHY];
  const statute = "Partage prévu par la loi";
  await recorded(territory, { "Ce qui a été fait": "Création", "Sur quoi": statute, Décision: "Refusé" }, /créer un partage prévu par la loi/, secrets);
  await recorded(territory, { "Ce qui a été fait": "Création", "Sur quoi": statute, Décision: "Autorisé" }, /créé un partage prévu par la loi/, secrets);
  await recorded(territory, { "Ce qui a été fait": "Confirmation par une seconde personne", "Sur quoi": statute }, /confirmé, en seconde personne, un partage prévu par la loi/, secrets);
  const reading = await recorded(territory, { "Sur quoi": "Élément d'information", But: "Protéger l'enfant (partage prévu par la loi)" }, /a consulté un élément d'information/, secrets);
  assert.match(reading, /L226-2-2|prévu par la loi/);

  // Looked at again within thirty days, or over: the author is told before, and the reader is refused after.
  await territory.server.tell("days 21");
  const warned = await territory.as("Nadia Benali");
  assert.match(await text(warned), /Le partage prévu par la loi s'arrête le/);
  await territory.server.tell("days 11");
  const late = await territory.as("Samira Haddad");
  const refused = await late.goto(read);
  assert.ok([403, 404].includes(refused.status()), `${refused.status()}`);
  assert.ok(!(await late.content()).includes(WORDS));
});

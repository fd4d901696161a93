// S3, S11, S19: who would read, shared with the teacher, what she sees of it; with the keyboard alone, and without
// JavaScript; and what may be told aloud.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, lookWhoReads, reads, recorded, share } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory, picture, tabTo, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S1");

const SCHOOL = "Soutenir la scolarité";
const HOMEWORK = "Vient à l'aide aux devoirs le mardi et le jeudi";
const SECRETS = ["Lina", "Carpentier", "Benali", "Lambert", HOMEWORK, "Aide aux devoirs"];

const ask = (page) => lookWhoReads(page, home, ["Aide aux devoirs"], SCHOOL);

test("S3 before anything is shared, each member has a plain answer, and what would repair it", async () => {
  const page = await territory.as("Nadia Benali");
  await ask(page);
  assert.match(await line(page, "Julie Lambert").innerText(), /^\s*Lira\s+Julie Lambert/);
  const refused = await line(page, "Paul Girard").innerText();
  assert.match(refused, /^\s*Ne lira pas\s+Paul Girard/);
  assert.match(refused, /La charte ne permet pas à cette profession/);
  assert.match(await line(page, "Samira Haddad").innerText(), /Il n'y a pas d'accord en cours/);
  await accessible(page);
  await picture(page, "partager");
  await page.setViewportSize(PHONE);
  await fits(page);
  await accessible(page);
  await picture(page, "partager-360");
  // The repair leads to the page that repairs, already filled in.
  await line(page, "Samira Haddad").getByRole("link", { name: /Préparer l'accord/ }).click();
  await page.waitForURL("**/accords/preparer**");
  await accessible(page);
});

test("S3 shared with the teacher, who reads it, and on no page of hers does the AEMO appear", async () => {
  const page = await territory.as("Nadia Benali");
  await share(page, home, ["Aide aux devoirs"], SCHOOL, ["Julie Lambert"]);
  assert.match(await text(page), /Relais n'envoie pas de message/);
  assert.match(await text(page), /pas encore lu/i);
  await accessible(page);
  await picture(page, "partage");

  const julie = await territory.as("Julie Lambert");
  assert.ok(await reads(julie, home, HOMEWORK));
  await page.reload();
  assert.match(await text(page), /lu le /i, "the sharer sees that it was read");
  await recorded(territory, { "Ce qui a été fait": "Partage", "Sur quoi": "Partage", But: SCHOOL }, /a fait un partage/, SECRETS);
  await recorded(
    territory,
    { Profession: "Enseignant, CPE, direction d'établissement", "Sur quoi": "Élément d'information", Décision: "Autorisé" },
    /la liste des informations/,
    SECRETS,
  );

  // S11: nothing on any page of hers tells that an AEMO is there; the console holds it, without a name.
  for (const path of ["", "/cercle", "/chronologie", "/accords", "/partages", "/passages"]) {
    await julie.goto(home + path);
    const html = await julie.content();
    for (const secret of ["Claire Morel", "AEMO", "Sauvegarde", "juge"]) {
      assert.ok(!html.includes(secret), `« ${secret} » stands on ${path || "the first page"} of the teacher`);
    }
  }
  const hidden = await recorded(
    territory,
    { Profession: "Éducateur AEMO / AED", "Ce qui a été fait": "Acceptation", "Sur quoi": "Participation" },
    /a accepté une participation/,
    ["Claire", "Morel", ...SECRETS],
  );
  assert.match(hidden, /Sauvegarde de l'Orme/);
});

test("Partager with the keyboard alone: asked, ticked, shared", async () => {
  const page = await territory.as("Nadia Benali");
  await page.goto(`${home}/partager`);
  await tabTo(page, "Aide aux devoirs");
  await page.keyboard.press("Space");
  await tabTo(page, "Pourquoi ?");
  await page.keyboard.type("Soutenir la sco");
  await tabTo(page, "Voir qui lira");
  await page.keyboard.press("Enter");
  await page.waitForURL(/partager\?/);
  await page.getByRole("heading", { name: "Qui lira ?" }).waitFor();
  assert.match(await line(page, "Julie Lambert").innerText(), /^\s*Lira\s+Julie Lambert/);
  await tabTo(page, "Partager avec Julie Lambert");
  await page.keyboard.press("Space");
  assert.ok(await page.getByLabel("Partager avec Julie Lambert").isChecked());
  await tabTo(page, "Partager avec les personnes cochées");
  await page.keyboard.press("Enter");
  await page.getByText("Relais n'envoie pas de message.").waitFor();
  assert.match(await line(page, "Julie Lambert").innerText(), /Julie Lambert/);
});

test("S3 without JavaScript: shared, and the teacher reads it", async () => {
  const page = await territory.as("Nadia Benali", { javaScriptEnabled: false });
  // A sentence that nobody has shared yet.
  const WORDS = "Vient aussi le samedi matin";
  await page.goto(`${home}/ecrire`);
  await page.getByRole("link", { name: "Scolarité", exact: true }).click();
  await page.getByLabel("En une ligne").fill("Samedi");
  await page.getByLabel("Le fait").fill(WORDS);
  await page.getByLabel("D'où vient-il ?").selectOption({ label: "constaté" });
  await page.getByRole("button", { name: "Enregistrer et voir qui lira" }).click();
  await page.waitForURL(/partager\?/);
  await page.getByLabel("Pourquoi ?").selectOption({ label: "Coordonner le parcours" });
  await page.getByRole("button", { name: "Voir qui lira" }).click();
  await page.waitForURL(/purpose=/);
  assert.match(await line(page, "Julie Lambert").innerText(), /^\s*Ne lira pas/, "not bound: the family validates first");
  await page.getByLabel("Partager avec Samira Haddad").check();
  await page.getByRole("button", { name: "Partager avec les personnes cochées" }).click();
  await page.waitForURL(/partages\/[a-z0-9]{26}/);
  assert.match(await text(page), /Relais n'envoie pas de message/);
  assert.ok(await reads(await territory.as("Samira Haddad", { javaScriptEnabled: false }), home, WORDS));

  await share(page, home, ["Aide aux devoirs"], SCHOOL, ["Julie Lambert"]);
  assert.match(await text(page), /Relais n'envoie pas de message/);
  assert.ok(await reads(await territory.as("Julie Lambert", { javaScriptEnabled: false }), home, HOMEWORK));
});

test("S19 may I tell her, at the door: yes or no in one word, and why; what is noted holds no words", async () => {
  const page = await territory.as("Nadia Benali", { viewport: PHONE });
  const mayI = async (what) => {
    await page.goto(`${home}/puis-je-le-dire`);
    const who = page.getByLabel("À qui ?");
    const julie = (await who.locator("option").allInnerTexts()).find((option) => option.includes("Julie Lambert"));
    await who.selectOption({ label: julie });
    await page.getByLabel("De quoi ?").selectOption({ label: what });
    await page.getByLabel("Pourquoi ?").selectOption({ label: SCHOOL });
    await page.getByRole("button", { name: "Puis-je le dire ?" }).click();
    const answer = page.getByText(`${what}, à Julie Lambert, pour « ${SCHOOL} ».`);
    await answer.waitFor();
    await accessible(page);
    await fits(page);
    return text(page);
  };
  await page.goto(`${home}/puis-je-le-dire`);
  await accessible(page);
  await fits(page);
  await picture(page, "puis-je-le-dire-360");

  const no = await mayI("Trajet du matin");
  assert.match(no, /\nNon\n+Trajet du matin, à Julie Lambert.*Parce que :.*c'est à la famille de valider ces mots/s);
  const note = page.getByRole("button", { name: "Noter que je l'ai dit" });
  assert.equal(await note.count(), 0, "what may not be told is not noted as told");
  const yes = await mayI("Aide aux devoirs");
  assert.match(yes, /\nOui\n+Aide aux devoirs, à Julie Lambert.*Jusqu'au .*, avec l'accord signé le 13 janvier/s);
  assert.ok(!yes.includes("Déjà dit de vive voix"), "asking writes nothing");
  await note.click();
  await page.getByText("C'est noté.").waitFor();
  assert.match(await text(page), /Déjà dit de vive voix.*14 janvier 2027 : Nadia Benali.* à Julie Lambert .*Scolarité/s);
  await accessible(page);
  await fits(page);
  await recorded(territory, { "Ce qui a été fait": "Création", "Sur quoi": "Parole donnée" }, /14\s+janvier\s+2027/, SECRETS);
});

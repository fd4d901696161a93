import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, accessible, fits, ownTerritory, picture, tabTo, text } from "../harness.mjs";

const territory = await ownTerritory();
const pathway = territory.pathway("S1");

const partager = () => `${territory.base}/parcours/${pathway}/partager`;

async function ask(page) {
  await page.goto(partager());
  await page.getByLabel(/Aide aux devoirs/).check();
  await page.getByLabel("Pourquoi ?").selectOption({ label: "Soutenir la scolarité" });
  await page.getByRole("button", { name: "Voir qui lira" }).click();
  await page.getByRole("heading", { name: "Qui lira ?" }).waitFor();
}

/** The line of a member, by name. */
const line = (page, name) => page.getByRole("listitem").filter({ hasText: name }).first();

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
  await ask(page);
  await page.getByLabel("Partager avec Julie Lambert").check();
  await page.getByRole("button", { name: "Partager avec les personnes cochées" }).click();
  await page.waitForURL(/partages\/[a-z0-9]{26}/);
  assert.match(await text(page), /Relais n'envoie pas de message/);
  assert.match(await text(page), /pas encore lu/i);
  await accessible(page);
  await picture(page, "partage");

  const julie = await territory.as("Julie Lambert");
  await julie.goto(`${territory.base}/parcours/${pathway}`);
  const words = await text(julie);
  assert.match(words, /aide aux devoirs/i);
  await page.reload();
  assert.match(await text(page), /lu le /i, "the sharer sees that it was read");
  // S11: nothing on any page of hers tells that an AEMO is there.
  for (const path of ["", "/cercle", "/chronologie", "/accords", "/partages", "/passages"]) {
    await julie.goto(`${territory.base}/parcours/${pathway}${path}`);
    const html = await julie.content();
    for (const secret of ["Claire Morel", "AEMO", "Sauvegarde", "juge"]) {
      assert.ok(!html.includes(secret), `« ${secret} » stands on ${path || "the first page"} of the teacher`);
    }
  }
});

test("Partager with the keyboard alone", async () => {
  const page = await territory.as("Nadia Benali");
  await page.goto(partager());
  await tabTo(page, "Trajet du matin");
  await page.keyboard.press("Space");
  await tabTo(page, "Pourquoi ?");
  await page.keyboard.type("Coordonner");
  await tabTo(page, "Voir qui lira");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Qui lira ?" }).waitFor();
  assert.match(await text(page), /lira/i);
});

test("S3 without JavaScript", async () => {
  const page = await territory.as("Nadia Benali", { javaScriptEnabled: false });
  await ask(page);
  assert.match(await line(page, "Julie Lambert").innerText(), /Lira/);
});

test("S19 may I tell her, at the door: an answer in one word, and why", async () => {
  const page = await territory.as("Nadia Benali", { viewport: PHONE });
  await page.goto(`${territory.base}/parcours/${pathway}/puis-je-le-dire`);
  await accessible(page);
  await fits(page);
  await picture(page, "puis-je-le-dire-360");
});

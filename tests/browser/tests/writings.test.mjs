// Nobody wants to type twice: what was written for one child is taken up for a brother or a sister, read again before it is
// kept; and one's own writings are read on one page, and in a file, without a word of anybody else.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at, reads, recorded, share } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory, text } from "../harness.mjs";

const territory = await ownTerritory();
const lina = at(territory, "S1");
const yanis = at(territory, "S2");

const HOMEWORK = "Vient à l'aide aux devoirs le mardi et le jeudi";
const BUS = "Prend le bus de 7 h 40";

test("S3 a sentence is taken up for a brother or a sister, and for nobody else by itself", async () => {
  const page = await territory.as("Nadia Benali", { viewport: PHONE });
  await page.goto(lina);
  await page.getByRole("link", { name: "Aide aux devoirs", exact: true }).first().click();
  await page.getByRole("link", { name: "Reprendre pour un frère ou une sœur" }).click();
  assert.match(await text(page), /Vous le relirez avant de l'enregistrer/);
  await accessible(page);
  await fits(page);
  await page.getByRole("link", { name: "Yanis Oumar" }).last().click();
  await page.waitForURL(`${yanis}/ecrire?**`);
  assert.equal(await page.getByLabel("En une ligne").inputValue(), "Aide aux devoirs");
  assert.equal(await page.getByLabel("Le fait").inputValue(), HOMEWORK);
  await accessible(page);
  assert.ok(!(await reads(page, yanis, HOMEWORK)), "nothing is kept before it is read again");
  await page.goBack();
  await page.getByLabel("Le fait").fill("Vient à l'aide aux devoirs le mardi");
  await page.getByRole("button", { name: "Enregistrer", exact: true }).click();
  await page.waitForURL(/informations\/[a-z0-9]{26}/);
  assert.ok(await reads(page, yanis, "Vient à l'aide aux devoirs le mardi"));
  assert.ok(await reads(page, lina, HOMEWORK), "the first is what it was");
  // The accord of one child opens nothing of the other.
  await page.goto(`${yanis}/partager`);
  assert.ok(!(await text(page)).includes("jeudi"));
});

test("« Mes écrits » is a page and a file: what I wrote, nothing that was shared with me", async () => {
  const nadia = await territory.as("Nadia Benali", { acceptDownloads: true });
  await nadia.goto(lina);
  await nadia.getByRole("link", { name: /Mes écrits/ }).click();
  await nadia.getByRole("heading", { level: 1, name: "Mes écrits" }).waitFor();
  const page = await text(nadia);
  for (const mine of [HOMEWORK, BUS]) assert.ok(page.includes(mine), mine);
  await accessible(nadia);
  const downloaded = nadia.waitForEvent("download");
  await nadia.getByRole("link", { name: "Emporter en texte" }).click();
  const download = await downloaded;
  assert.equal(download.suggestedFilename(), "mes-ecrits.txt");
  const file = readFileSync(await download.path(), "utf8");
  for (const mine of [HOMEWORK, BUS, "Aide aux devoirs", "Trajet du matin"]) assert.ok(file.includes(mine), mine);
  assert.ok(!file.includes("<"), "text, no markup");

  // Of who only reads, nothing can be taken away.
  await share(nadia, lina, ["Aide aux devoirs"], "Soutenir la scolarité", ["Julie Lambert"]);
  const julie = await territory.as("Julie Lambert");
  assert.ok(await reads(julie, lina, HOMEWORK));
  await julie.goto(`${lina}/mes-ecrits`);
  assert.match(await text(julie), /Vous n'avez rien écrit ici/);
  const hers = await julie.context().request.get(`${lina}/mes-ecrits/texte`);
  assert.ok(!(await hers.text()).includes(HOMEWORK));
  await recorded(territory, { "Ce qui a été fait": "Export", Profession: "Référent de parcours (réussite éducative)" }, /14\s+janvier\s+2027/, [HOMEWORK, BUS, "Lina", "Benali"]);
});

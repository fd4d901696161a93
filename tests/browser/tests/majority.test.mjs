// S5: at midnight in Paris of the eighteenth birthday the parents' word ends; the young adult signs alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, lookWhoReads, prepareAccord, recorded, share, signAccord, write } from "../acts.mjs";
import { accessible, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S5");

const SERVICE = /Mission locale de l'Orme/;
const WORDS = "Cherche un apprentissage en cuisine";

test("S5 majority is prepared ahead, parents' accords end at midnight in Paris, the young adult signs alone", async () => {
  // From seventeen years and nine months, Aujourd'hui says it, and leads to the accord that prepares it.
  const marc = await territory.as("Marc Delattre");
  const waits = line(marc, "Préparer la majorité");
  assert.match(await waits.innerText(), /13 avril 2027.*les accords des parents prennent fin/s);
  await waits.getByRole("link", { name: /Préparer un accord/ }).click();
  await marc.waitForURL("**/accords/preparer**");

  // Signed ahead by the young person alone: nobody else is asked.
  const summary = await prepareAccord(marc, home, {
    purpose: "Soutenir l'insertion",
    service: SERVICE,
    words: ["Projet"],
    starts: "2027-04-13",
    last: "2027-09-30",
  });
  assert.match(summary, /le jeune/);
  assert.doesNotMatch(summary, /Linh Nguyen|Paul Nguyen/, "no parent signs for an adult");
  await signAccord(marc, ["Le jeune"], "2027-01-14");
  const accord = marc.url();
  assert.match(await text(marc), /Signé, commence le 13 avril 2027/);
  await accessible(marc);
  await picture(marc, "majorite");

  // Nothing is promised for longer than the parents' word.
  await lookWhoReads(marc, home, ["Projet"], "Coordonner le parcours", "2027-04-20");
  await line(marc, "Rémi Colin").getByLabel(/Partager avec/).check();
  await marc.getByRole("button", { name: "Partager avec les personnes cochées" }).click();
  assert.match(await marc.getByRole("alert").innerText(), /le dernier jour possible est le 12 avril 2027/);
  await accessible(marc);
  await share(marc, home, ["Projet"], "Coordonner le parcours", ["Rémi Colin"], "2027-04-12");

  // A minute before midnight in Paris he reads; the next page he asks for is refused, as what is absent.
  await territory.server.tell("go 2027-04-12T21:59:00Z");
  const remi = await territory.as("Rémi Colin");
  await remi.goto(home);
  await remi.getByRole("link", { name: "Projet", exact: true }).click();
  await remi.getByRole("heading", { level: 1, name: "Projet" }).waitFor();
  assert.ok((await text(remi)).includes(WORDS));
  await territory.server.tell("go 2027-04-12T22:00:00Z");
  const refused = await remi.reload();
  assert.ok([403, 404].includes(refused.status()), "the words closed at midnight");
  assert.ok(!(await remi.content()).includes(WORDS));
  const told = await recorded(
    territory,
    { Profession: "Conseiller de mission locale", "Sur quoi": "Élément d'information", Décision: "Refusé" },
    /consulter un élément d'information/,
    ["Sami", "Nguyen", WORDS],
  );
  assert.match(told, /accord_expired/);

  // In the morning: what the young person signed ahead counts, and the parents' accords do not.
  await territory.server.tell("go 2027-04-13T07:00:00Z");
  const morning = await territory.as("Marc Delattre");
  await morning.goto(accord);
  assert.match(await text(morning), /En cours jusqu'au 12 mai 2027 inclus/, "thirty days, unless it is confirmed");
  await morning.goto(`${home}/accords`);
  assert.match(await text(morning), /Accords terminés \(2\)/);
  await share(morning, home, ["Projet"], "Soutenir l'insertion", ["Rémi Colin"], "2027-05-10");
  const reader = await territory.as("Rémi Colin");
  await reader.goto(`${home}/partages`);
  await reader.getByRole("link", { name: "Soutenir l'insertion" }).first().click();
  await reader.getByRole("heading", { level: 1, name: "Informations" }).waitFor();
  assert.ok((await text(reader)).includes(WORDS), `under the young adult's own accord: ${await text(reader)}`);
});

// S1 from its beginning: the référente, then in a territory of their own the AEMO educator, prepare the same stay. The
// pages of its director are the same in both.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, noteOpinion, prepareAccord, recorded, share, signAccord, write } from "../acts.mjs";
import { PHONE, accessible, begin, fits, text } from "../harness.mjs";

const CARE = "Traitement à 20 h, remis par un adulte";
const CLOTHES = "Manque de vêtements chauds";
const BETRAYALS = ["Claire", "Morel", "AEMO", "Sauvegarde", "judiciaire", "juge", "mesure"];

const REFERENT = "Nadia Benali";

/** Invites the director of the stay, until its last day. */
async function invite(page, home) {
  await page.goto(`${home}/sejour`);
  await page.getByRole("link", { name: "Inviter la direction" }).click();
  await page.getByRole("link", { name: "Ville de Val-d'Orme" }).click();
  await page.getByLabel(/Paul Girard/).check();
  await page.getByLabel("Avec l'accord de la famille").check();
  await page.getByLabel("Organise un séjour").check();
  await page.getByLabel("Jusqu'au").fill("2027-02-12");
  await page.getByRole("button", { name: "Inviter" }).click();
}

/** Everything that somebody does to prepare the stay of Yanis, until the director may read. */
async function prepare(territory, author) {
  const home = at(territory, "S2");
  const page = await territory.as(author);
  await page.goto(`${home}/partages`);
  await page.getByRole("link", { name: "Préparer un séjour" }).click();
  await accessible(page);
  await write(page, home, "Santé : le strict nécessaire", "Traitement du soir", {
    "De quoi s'agit-il ?": { choose: "traitement" },
    "Quoi ?": CARE,
    "Quand ?": "tous les soirs à 20 h",
    "Où est l'ordonnance ?": "dans la trousse, sous enveloppe",
  }, { forStay: true });
  await write(page, home, "Besoins pratiques", "Affaires à prévoir", {
    "Quel besoin ?": { choose: "Vêtements chauds" },
    Précision: CLOTHES,
  }, { forStay: true });

  // Exact words, shown and signed; thirteen years old, so that the child is asked and one parent signs.
  const summary = await prepareAccord(page, home, {
    purpose: "Préparer un séjour",
    service: /Séjours et accueils de loisirs/,
    words: ["Traitement du soir", "Affaires à prévoir"],
    last: "2027-02-20",
  });
  assert.ok(summary.includes(CARE) && summary.includes(CLOTHES), "word for word");
  assert.match(summary, /Celui des deux parents qui n'aura pas signé doit être prévenu/);
  const accord = page.url();
  await page.getByRole("link", { name: "La feuille à signer" }).click();
  assert.match(await text(page), /Vous pouvez dire non/);
  await page.goto(accord);
  await signAccord(page, [/Fatou Oumar/], "2027-01-14");
  await noteOpinion(page, "D'accord", "2027-01-14");
  assert.match(await text(page), /En cours jusqu'au/);

  // Whose measure must stay unknown does not invite: it would name a service. The page says who does.
  if (author !== REFERENT) {
    await invite(page, home);
    assert.match(await page.getByRole("alert").innerText(), /demandez au référent de l'inviter/);
    await accessible(page);
  }
  const referent = author === REFERENT ? page : await territory.as(REFERENT);
  await invite(referent, home);
  await referent.getByText("L'invitation est enregistrée.").waitFor();

  const paul = await territory.as("Paul Girard", { viewport: PHONE });
  await line(paul, "vous invite dans un cercle").getByRole("link", { name: "Lire l'invitation" }).click();
  const invitation = await text(paul);
  await accessible(paul);
  await fits(paul);
  await paul.getByRole("button", { name: /Accepter/ }).click();
  await paul.waitForURL(/fait=accepte/);

  await share(page, home, ["Traitement du soir", "Affaires à prévoir"], "Préparer un séjour", ["Paul Girard"], "2027-02-12", "2027-02-06");
  assert.match(await text(page), /Relais n'envoie pas de message/);
  assert.match(await line(page, "Paul Girard").innerText(), /pas encore lu|Prévenez/i);
  assert.match(await text(page), /départ le 6 février 2027/);
  return { home, page, paul, invitation };
}

/** The director's pages, with what differs by nature left out: ids, keys of forms, ports, and the time at which the session closes. */
async function directors(paul, home) {
  const seen = [];
  for (const path of ["", "/sejour", "/cercle", "/accords", "/partages", "/passages", "/chronologie", "/consultations", "/danger"]) {
    await paul.goto(home + path);
    seen.push(await paul.content());
  }
  await paul.goto(new URL("/", home).href);
  seen.push(await paul.content());
  return seen.map((html) => html.replace(/[a-z0-9]{26}/g, "·").replace(/jusqu'à \d+ h \d+/g, "·").replace(/localhost:\d+/g, "·"));
}

test("S1 the référente and the AEMO educator prepare the same stay, and its director cannot tell which", async () => {
  const pages = [];
  for (const author of [REFERENT, "Claire Morel"]) {
    const territory = await begin();
    try {
      const { home, page, paul, invitation } = await prepare(territory, author);
      for (const secret of BETRAYALS) assert.ok(!invitation.includes(secret), `« ${secret} » stands in the invitation`);

      await paul.goto(new URL("/", home).href);
      await paul.getByRole("link", { name: "Yanis Oumar" }).click();
      await paul.waitForURL("**/sejour");
      const words = await text(paul);
      for (const must of [CARE, CLOTHES, "Transmis par la famille", "Départ le 6 février 2027"]) assert.ok(words.includes(must), must);
      const seen = await directors(paul, home);
      for (const html of seen) {
        for (const secret of BETRAYALS) assert.ok(!html.includes(secret), `« ${secret} » stands on a page of the director (${author})`);
      }
      pages.push([invitation, ...seen]);

      // Read, then printed: the sharer sees both, and who looked is in the log.
      await page.reload();
      assert.match(await line(page, "Paul Girard").innerText(), /lu le 14 janvier 2027/i);
      await paul.goto(`${home}/sejour`);
      await paul.getByRole("button", { name: "Imprimer la fiche" }).click();
      await paul.getByText(/à rendre aux parents ou à détruire le/i).waitFor();
      await page.goto(`${home}/sejour`);
      assert.match(await text(page), /imprimé le 14 janvier 2027/);
      await accessible(page);
      const told = await recorded(territory, { "Ce qui a été fait": "Impression", "Sur quoi": "Élément d'information" }, /imprimé/, ["Yanis", "Oumar", CARE]);
      assert.match(told, /Directeur|séjour/i);

      // The family changes its mind during the stay: the screen closes, the paper is told of.
      await page.goto(`${home}/retrait`);
      await page.getByRole("button", { name: /Enregistrer : le partage s'arrête/ }).click();
      await page.getByText(/Le séjour est en cours. Appelez la direction/).waitFor();
      await paul.goto(home);
      assert.ok(!(await paul.content()).includes(CARE));
    } finally {
      await territory.end();
    }
  }
  const [byReferent, byEducator] = pages;
  assert.equal(byReferent.length, byEducator.length);
  byReferent.forEach((page, i) => assert.equal(page, byEducator[i], `page ${i} of the director tells who prepared the stay`));
});

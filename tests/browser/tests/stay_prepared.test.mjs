// S1 from its beginning: the référente, then in a territory of their own the AEMO educator, prepare the same stay. The
// pages of its director are the same in both.
import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptInvitation, at, inviteDirector, line, prepareAccord, recorded, share, signAccord, write } from "../acts.mjs";
import { PHONE, accessible, begin, text } from "../harness.mjs";

const CARE = "Traitement à 20 h, remis par un adulte";
const CLOTHES = "Manque de vêtements chauds";
const BETRAYALS = ["Claire", "Morel", "AEMO", "Sauvegarde", "judiciaire", "juge", "mesure"];

const REFERENT = "Nadia Benali";
const LAST = "2027-02-12";

/** Yanis is fifteen in this story: from then on he signs too, and does for what was agreed before. */
async function fifteen(territory, home) {
  const page = await territory.as(REFERENT);
  await page.goto(`${home}/personne`);
  await page.getByText("Corriger l'identité et les contacts").click();
  await page.getByLabel(/Date de naissance/).fill("2011-06-01");
  await page.getByRole("button", { name: "Enregistrer l'identité" }).click();
  await page.getByText("15 ans").first().waitFor();
  const signed = new Set();
  for (const name of [REFERENT, "Samira Haddad"]) {
    const collector = await territory.as(name);
    await collector.goto(`${home}/accords`);
    const links = await collector.getByRole("main").getByRole("link").evaluateAll((all) => all.map((a) => a.href));
    for (const accord of links.filter((href) => /accords\/[a-z0-9]{26}$/.test(href) && !signed.has(href))) {
      await collector.goto(accord);
      await signAccord(collector, ["Le jeune"], "2027-01-14");
      signed.add(accord);
    }
  }
  assert.ok(signed.size > 0);
}

/** Everything that somebody does to prepare the stay of Yanis, until the director may read. */
async function prepare(territory, author) {
  const home = at(territory, "S2");
  const page = await territory.as(author);
  const referent = author === REFERENT ? page : await territory.as(REFERENT);
  await fifteen(territory, home);
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

  // Exact words, shown and signed once, by the young person and one parent.
  const summary = await prepareAccord(page, home, {
    purpose: "Préparer un séjour",
    service: /Séjours et accueils de loisirs/,
    words: ["Traitement du soir", "Affaires à prévoir"],
    last: "2027-02-20",
  });
  assert.ok(summary.includes(CARE) && summary.includes(CLOTHES), "word for word");
  assert.match(summary, /Celui des deux parents qui n'aura pas signé doit être prévenu/);
  assert.match(summary, /la signature du jeune est nécessaire/);
  const accord = page.url().replace(/\?.*$/, "");
  await page.getByRole("link", { name: "La feuille à signer" }).click();
  assert.match(await text(page), /Vous pouvez dire non/);
  await page.goto(accord);
  await signAccord(page, ["Le jeune", /Fatou Oumar/], "2027-01-14");
  assert.match(await text(page), /En cours jusqu'au.*À prévenir, pour pouvoir s'opposer : Issa Oumar/s);

  // Whose measure must stay unknown does not invite: it would name a service. The page says who does.
  if (author !== REFERENT) {
    await inviteDirector(page, home, LAST);
    assert.match(await page.getByRole("alert").innerText(), /demandez au référent de l'inviter/);
    await accessible(page);
  }
  await inviteDirector(referent, home, LAST);
  await referent.getByText("L'invitation est enregistrée.").waitFor();

  const { page: paul, words: invitation } = await acceptInvitation(territory, "Paul Girard", { viewport: PHONE });

  await share(page, home, ["Traitement du soir", "Affaires à prévoir"], "Préparer un séjour", ["Paul Girard"], LAST, "2027-02-06");
  assert.match(await text(page), /Relais n'envoie pas de message/);
  assert.match(await line(page, "Paul Girard").innerText(), /pas encore lu|Prévenez/i);
  assert.match(await text(page), /départ le 6 février 2027/);
  return { home, accord, page, paul, invitation };
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
      const { home, accord, page, paul, invitation } = await prepare(territory, author);
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
      await paul.getByRole("status").getByText("L'impression est notée.").waitFor();
      assert.match(await text(paul), /à rendre aux parents ou à détruire le/i);
      await page.goto(`${home}/sejour`);
      assert.match(await text(page), /imprimé le 14 janvier 2027/);
      await accessible(page);
      const told = await recorded(territory, { "Ce qui a été fait": "Impression", "Sur quoi": "Élément d'information" }, /imprimé/, ["Yanis", "Oumar", CARE]);
      assert.match(told, /Directeur|séjour/i);

      // The other parent says no: the screen closes at once. Or the family changes its mind during the stay: it does too, and
      // the page tells of the paper.
      if (author === REFERENT) {
        await page.goto(`${accord}/signer`);
        await page.getByRole("link", { name: "Une opposition" }).click();
        await page.getByLabel(/Issa Oumar/).check();
        await page.getByRole("button", { name: "Enregistrer l'opposition : le partage s'arrête" }).click();
        await page.waitForURL(/fait=/);
        await recorded(territory, { "Ce qui a été fait": "Opposition recueillie", "Sur quoi": "Accord" }, /a recueilli une opposition pour un accord/, ["Yanis", "Oumar", CARE]);
      } else {
        await page.goto(`${home}/retrait`);
        await page.getByRole("button", { name: /Enregistrer\s: le partage s'arrête/ }).click();
        await page.getByText(/Le séjour est en cours. Appelez la direction/).waitFor();
      }
      await paul.goto(`${home}/sejour`);
      assert.ok(!(await paul.content()).includes(CARE));
    } finally {
      await territory.end();
    }
  }
  const [byReferent, byEducator] = pages;
  assert.equal(byReferent.length, byEducator.length);
  byReferent.forEach((page, i) => assert.equal(page, byEducator[i], `page ${i} of the director tells who prepared the stay`));
});

// The auditor's further pages, at a desk and on a phone: looked at, and pictured. And the one box that finds a view.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, line, openInEmergency, recorded } from "../acts.mjs";
import { DESK, PHONE, accessible, fits, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();

/** Why an identity is asked for. */
const WHY = "Des lectures la nuit, sans acte dans le cercle.";

/** Accessible, no scrolling sideways, pictured, at both sizes. */
async function looked(page, name, options = {}) {
  for (const [size, view] of [[1280, DESK], [360, PHONE]]) {
    await page.setViewportSize(view);
    await fits(page);
    await accessible(page);
    await picture(page, size === 360 ? `${name}-360` : name, options);
  }
  await page.setViewportSize(DESK);
}

test("S4 what the auditor does beside looking: reviews, the month, what leaves, an identity by two", async () => {
  // Something to review: an opening in an emergency.
  const samira = await territory.as("Samira Haddad");
  await samira.goto(`${at(territory, "S3")}/urgence`);
  await openInEmergency(samira, "Malaise pendant une sortie, le SAMU demande les allergies.");
  await samira.context().close();

  const irene = await territory.as("Irène Vidal");
  await irene.goto(`${territory.base}/controle`);
  await looked(irene, "controle-chercher", { fullPage: false });
  await irene.getByRole("link", { name: "Accès à examiner un par un" }).click();
  await looked(irene, "acces-a-examiner");
  await irene.goto(`${territory.base}/controle`);
  await irene.getByRole("link", { name: "Emporter des traces dans un fichier" }).click();
  await looked(irene, "emporter-des-traces");
  await irene.goto(`${territory.base}/controle/preuve`);
  await looked(irene, "preuve-etat");

  // The last month that is over.
  await territory.server.tell("go 2027-02-02T09:00:00Z");
  const later = await territory.as("Irène Vidal");
  await later.getByRole("link", { name: "Le rapport du mois" }).click();
  await later.getByLabel("Mois", { exact: true }).fill("2027-01");
  await later.getByRole("button", { name: "Montrer ce mois" }).click();
  await later.getByRole("heading", { name: /Contrôle des accès : janvier 2027/ }).waitFor();
  await looked(later, "rapport-du-mois");

  // Who is behind a pseudonym: asked by one, confirmed by another, read once.
  await later.goto(`${territory.base}/controle?resource=emergency&action=create`);
  await later.getByRole("link", { name: /^Trace n°/ }).first().click();
  await later.getByRole("link", { name: "Demander l'identité…" }).click();
  await looked(later, "demander-une-identite");
  await later.getByRole("group", { name: "De qui ?" }).getByRole("radio").first().check();
  await later.getByRole("group", { name: "Pourquoi ?" }).getByRole("radio").first().check();
  await later.getByLabel("Expliquez en quelques phrases").fill(WHY);
  await later.getByRole("button", { name: "Demander l'identité" }).click();
  await later.getByRole("heading", { name: "Demandes d'identité" }).waitFor();
  await looked(later, "demandes-d-identite");

  const emile = await territory.as("Émile Garnier");
  await emile.goto(`${territory.base}/identites`);
  await emile.getByRole("main").getByRole("link").first().click();
  await looked(emile, "decider-d-une-identite");
  await emile.getByLabel("Je confirme : l'identité peut être lue une fois").check();
  await emile.getByLabel("Vos raisons").fill("Le motif tient.");
  await emile.getByRole("button", { name: "Enregistrer ma décision" }).click();
  await emile.getByText("Votre décision est enregistrée.").waitFor();
  await later.goto(`${territory.base}/identites`);
  await later.getByRole("main").getByRole("link").first().click();
  await later.getByRole("button", { name: "Lire l'identité, une seule fois" }).click();
  await later.getByRole("heading", { level: 1, name: "L'identité demandée" }).waitFor();
  assert.match(await text(later), /Samira Haddad/);
  await looked(later, "lire-une-identite");
  await later.goto(`${territory.base}/identites`);
  assert.ok(!(await text(later)).includes("Samira Haddad"), "no address shows it again");
  // That it was read stands in the log, and what was read does not.
  await recorded(
    territory,
    { "Ce qui a été fait": "Consultation", "Sur quoi": "Demande d'identité", Décision: "Autorisé" },
    "a lu qui est derrière un pseudonyme",
    ["Samira", "Haddad", WHY],
  );

  // The decisions of the first month, judged again; and the whole log verified.
  await later.goto(`${territory.base}/controle`);
  await later.getByRole("link", { name: "Rejouer les décisions d'une période" }).click();
  await later.getByLabel("Premier jour").fill("2027-01-01");
  await later.getByLabel("Dernier jour").fill("2027-01-31");
  await later.getByRole("button", { name: "Rejouer", exact: true }).click();
  assert.match(await text(later), /Toutes les décisions donnent la même réponse\..* décisions rejouées sur leurs faits/s);
  await looked(later, "rejouer-les-decisions");
  await later.goto(`${territory.base}/controle/preuve`);
  await later.getByRole("button", { name: "Vérifier tout le journal" }).click();
  assert.match(await later.getByRole("status").innerText(), /Le journal tient/);
  await looked(later, "preuve-verifiee");
});

test("S4 one box finds a record, a word of the filters, a pseudonym; a name goes nowhere", async () => {
  const page = await territory.as("Irène Vidal");
  const search = async (typed) => {
    await page.goto(`${territory.base}/controle`);
    await page.getByLabel("Chercher", { exact: true }).fill(typed);
    await page.getByRole("button", { name: "Chercher", exact: true }).click();
  };
  await search("12");
  await page.getByRole("heading", { name: "Trace n° 12" }).waitFor();
  await search("jacques-prevert");
  await page.waitForURL(/controle\?organisation=/);
  assert.match(await text(page), /Collège Jacques-Prévert/);
  await search("accord");
  assert.match(await page.getByRole("alert").innerText(), /un mot plus précis/);
  await accessible(page);
  await page.getByRole("link", { name: "Sur quoi : Accord", exact: true }).click();
  await page.waitForURL(/resource=accord/);

  await search("Nadia Benali");
  assert.match(await page.getByRole("alert").innerText(), /le journal n'a pas de nom de personne/);
  assert.ok(!page.url().includes("Nadia"), "what is typed goes into no address");
  await accessible(page);
  await page.setViewportSize(PHONE);
  await fits(page);
  await page.getByLabel("Chercher", { exact: true }).scrollIntoViewIfNeeded();
  await picture(page, "chercher-360", { fullPage: false });

  // A pseudonym of a pathway, as a record gives it: the page says where it is found.
  await page.setViewportSize(DESK);
  await page.goto(`${territory.base}/controle?resource=accord`);
  await page.getByRole("link", { name: /^Toutes celles de ce parcours/ }).first().click();
  const pathway = new URL(page.url()).searchParams.get("pathway");
  await search(pathway);
  await page.getByRole("link", { name: "Chercher ce pseudonyme parmi les parcours" }).click();
  await page.waitForURL(/controle\?pathway=/);
  assert.ok((await page.getByRole("link", { name: /^Trace n°/ }).count()) > 0);
});

test("law 6: what is past its time is pruned by two, each on a page, and the log says how far it came", async () => {
  await territory.server.tell("days 400");
  const irene = await territory.as("Irène Vidal");
  await irene.getByRole("link", { name: "Conservation" }).first().click();
  await looked(irene, "conservation-du-journal");
  await irene.getByRole("link", { name: "Demander l'élagage…" }).click();
  await irene.getByRole("button", { name: "Demander l'élagage" }).waitFor();
  await looked(irene, "demander-un-elagage");
  const day = await irene.getByLabel(/Les traces techniques d'avant le/).inputValue();
  assert.match(day, /^2027-/);
  // Too recent: told, and what was written is kept.
  await irene.getByLabel(/Les traces techniques d'avant le/).fill("2028-03-01");
  await irene.getByLabel("Pourquoi maintenant ?").fill("Terme des douze mois de la charte.");
  await irene.getByRole("button", { name: "Demander l'élagage" }).click();
  assert.match(await irene.getByRole("alert").innerText(), /Ces traces se gardent 12 mois/);
  assert.equal(await irene.getByLabel("Pourquoi maintenant ?").inputValue(), "Terme des douze mois de la charte.");
  await irene.getByLabel(/Les traces techniques d'avant le/).fill(day);
  await irene.getByRole("button", { name: "Demander l'élagage" }).click();
  await irene.getByText(/Prévenez la seconde personne/).waitFor();
  assert.match(await text(irene), /En attente d'une seconde personne/);

  const emile = await territory.as("Émile Garnier");
  await line(emile, "perdent leur contenu").getByRole("link", { name: "Lire et décider" }).click();
  await emile.getByRole("button", { name: "Enregistrer ma décision" }).waitFor();
  await looked(emile, "decider-d-un-elagage");
  await emile.getByLabel("Je confirme : ces traces perdent leur contenu").check();
  await emile.getByLabel("Vos raisons").fill("Charte et dates relues.");
  await emile.getByRole("button", { name: "Enregistrer ma décision" }).click();
  await emile.getByText("Le service efface leur contenu dans l'heure.").waitFor();
  assert.match(await text(emile), /Encore \d+ traces à effacer/);

  await territory.server.tell("job prunings");
  await irene.reload();
  await irene.getByRole("main").getByRole("link", { name: /^\d+ traces d'avant le/ }).first().click();
  await irene.getByText("Leur contenu est effacé, leur empreinte reste.", { exact: false }).waitFor();
  await irene.goto(`${territory.base}/controle/preuve`);
  await irene.getByRole("button", { name: "Vérifier tout le journal" }).click();
  assert.match(await irene.getByRole("status").innerText(), /Le journal tient.*élaguées/s);
  await irene.getByRole("link", { name: "Par qui et pourquoi" }).waitFor();
});

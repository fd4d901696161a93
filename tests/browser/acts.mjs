// What people of the stories do, each with the pages and words that they would use. Every act begins on the page of a
// pathway and ends on the page that says that it is done.
import assert from "node:assert/strict";
import { accessible, fits } from "./harness.mjs";

/** The address of a pathway, and of its parts. */
export const at = (territory, story, part = "") => `${territory.base}/parcours/${territory.pathway(story)}${part}`;

/** Writes one information: the subject, the title, then each field by its label. A choice is `{ choose: "…" }`. */
export async function write(page, home, subject, title, fields, { forStay = false, button = "Enregistrer" } = {}) {
  await page.goto(`${home}/ecrire${forStay ? "?sejour=oui" : ""}`);
  await page.getByRole("link", { name: subject, exact: true }).click();
  await page.getByLabel("En une ligne").fill(title);
  for (const [label, value] of Object.entries(fields)) {
    const field = page.getByLabel(label);
    if (value.choose) await field.selectOption({ label: value.choose });
    else await field.fill(value);
  }
  if (forStay) await page.getByLabel(/Écrit pour un séjour/).check();
  await page.getByRole("button", { name: button, exact: true }).click();
  await page.waitForURL((url) => !url.pathname.endsWith("/ecrire"));
}

/**
 * Prepares an accord in its four steps and creates it; answers the words of the summary. `words` are titles of exact
 * texts, `subjects` subjects to name; the days are those proposed when none is given.
 */
export async function prepareAccord(page, home, { purpose, service, words = [], subjects = [], starts, last }) {
  await page.goto(`${home}/accords/preparer`);
  await page.getByLabel(purpose, { exact: true }).check();
  await page.getByRole("button", { name: /à qui/ }).click();
  await page.getByRole("group", { name: service }).getByLabel("Nommer ce service").check();
  await page.getByRole("button", { name: /quoi/ }).click();
  for (const word of words) await page.getByLabel(new RegExp(`«\\s${word}\\s»`)).check();
  for (const subject of subjects) await page.getByLabel(subject, { exact: true }).check();
  await page.getByRole("button", { name: /jusqu'à quand/ }).click();
  if (starts) await page.getByLabel("À partir du").fill(starts);
  if (last) await page.getByLabel("Jusqu'au (inclus)").fill(last);
  await page.getByRole("button", { name: "Voir la feuille et qui doit signer" }).click();
  await page.getByRole("heading", { name: "Voici la feuille, et qui doit la signer" }).waitFor();
  const summary = await page.locator("main").innerText();
  await page.getByRole("button", { name: "Créer l'accord et sa feuille" }).click();
  await page.getByText("L'accord est prêt.").waitFor();
  return summary;
}

/** On the page that records one: a signature on paper, with every box that the sheet has. */
export async function signOnPaper(page, person, on) {
  await page.getByLabel(person, { exact: true }).check();
  for (const box of await page.getByRole("group", { name: /Quelles cases a cochées/ }).getByRole("checkbox").all()) await box.check();
  await page.getByRole("radio", { name: "Feuille signée" }).check();
  await page.getByLabel(/Où l'original/).fill("Bureau du service, classeur des accords");
  await page.getByLabel(/Comment savez-vous/).selectOption({ label: "Personne connue du professionnel" });
  await page.getByLabel(/Date portée/).fill(on);
  await page.getByRole("button", { name: "Enregistrer la signature" }).click();
  await page.getByText("La signature est enregistrée.").waitFor();
}

/** From the page of an accord: a signature on paper, by each of these people. */
export async function signAccord(page, people, on) {
  const accord = page.url().replace(/[?#].*$/, "");
  for (const person of people) {
    await page.goto(`${accord}/signer`);
    await signOnPaper(page, person, on);
  }
  await page.goto(accord);
}

/** What the young person thinks of it. */
export async function noteOpinion(page, opinion, on) {
  const accord = page.url().replace(/[?#].*$/, "");
  await page.goto(`${accord}/signer`);
  await page.getByRole("link", { name: "L'avis du jeune" }).click();
  await page.getByLabel(opinion, { exact: true }).check();
  await page.getByLabel("Quel jour ?").fill(on);
  await page.getByRole("button", { name: "Noter l'avis" }).click();
  await page.waitForURL(/fait=/);
  await page.goto(accord);
}

/** Asks who would read, on Partager. */
export async function lookWhoReads(page, home, titles, purpose, lastDay, departure) {
  await page.goto(`${home}/partager`);
  for (const title of titles) await page.getByLabel(new RegExp(title)).check();
  await page.getByLabel("Pourquoi ?").selectOption({ label: purpose });
  if (lastDay) await page.getByLabel("Jusqu'à quel jour ?").fill(lastDay);
  if (departure) {
    await page.getByText("Pour un séjour : le jour du départ").click();
    await page.getByLabel("Jour du départ").fill(departure);
  }
  await page.getByRole("button", { name: "Voir qui lira" }).click();
  await page.waitForURL(/partager\?/);
  await page.getByRole("heading", { name: "Qui lira ?" }).waitFor();
}

/** Shares with these people, after having seen that they would read. */
export async function share(page, home, titles, purpose, people, lastDay, departure) {
  await lookWhoReads(page, home, titles, purpose, lastDay, departure);
  for (const person of people) await page.getByLabel(`Partager avec ${person}`).check();
  await page.getByRole("button", { name: "Partager avec les personnes cochées" }).click();
  await page.waitForURL(/partages\/[a-z0-9]{26}/);
}

/** Invites the director of the stay, by whoever of the circle may, until its last day. */
export async function inviteDirector(page, home, last) {
  await page.goto(`${home}/sejour`);
  await page.getByRole("link", { name: "Inviter la direction" }).click();
  await page.getByRole("link", { name: "Ville de Val-d'Orme" }).click();
  await page.getByLabel(/Paul Girard/).check();
  await page.getByLabel("Avec l'accord de la famille").check();
  await page.getByLabel("Organise un séjour").check();
  await page.getByLabel("Jusqu'au").fill(last);
  await page.getByRole("button", { name: "Inviter" }).click();
}

/** Invites somebody of a structure into the circle, as a member. */
export async function inviteMember(page, home, structure, name, mandate) {
  await page.goto(`${home}/inviter`);
  await page.getByRole("link", { name: structure }).click();
  await page.getByLabel(new RegExp(name)).check();
  await page.getByLabel(mandate, { exact: true }).check();
  await page.getByLabel("Membre du cercle", { exact: true }).check();
  await page.getByRole("button", { name: "Inviter" }).click();
  await page.getByText("L'invitation est enregistrée.").waitFor();
}

/** Who was invited reads it and accepts; answers their page, and the words of the invitation. */
export async function acceptInvitation(territory, name, options = {}) {
  const page = await territory.as(name, options);
  await line(page, "vous invite dans un cercle").getByRole("link", { name: "Lire l'invitation" }).click();
  const accept = page.getByRole("button", { name: /Accepter/ });
  await accept.waitFor();
  // axe needs scripts.
  if (options.javaScriptEnabled ?? true) await accessible(page);
  if (options.viewport) await fits(page);
  const words = await page.locator("main").innerText();
  await accept.click();
  await page.waitForURL(/fait=accepte/);
  return { page, words };
}

/** Opens what is vital of a pathway, in an emergency, for the reason given. */
export async function openInEmergency(page, reason) {
  await page.getByLabel("Pourquoi maintenant ?").fill(reason);
  await page.getByLabel("Une personne est en danger, et j'ai lu ce qui précède.").check();
  await page.getByRole("button", { name: "Ouvrir pour 24 heures" }).click();
  await page.getByRole("heading", { name: "Ouvert en urgence" }).waitFor();
}

/** Whether somebody reads these words on the first page of a pathway. */
export async function reads(page, home, words) {
  await page.goto(home);
  return (await page.locator("body").innerText()).includes(words);
}

/** The line of a list that names somebody. */
export const line = (page, name) => page.getByRole("listitem").filter({ hasText: name }).first();

/**
 * Irène Vidal finds the record of an act in the console, by its filters, and opens it: it holds none of `secrets`.
 * The filters are labels with what is chosen.
 */
export async function recorded(territory, filters, sentence, secrets = [], options = {}) {
  const page = await territory.as("Irène Vidal", options);
  await page.waitForURL("**/controle");
  await page.getByText("Plus de filtres").click();
  for (const [label, choice] of Object.entries(filters)) {
    await page.getByLabel(label, { exact: true }).selectOption({ label: choice });
  }
  await page.getByRole("button", { name: "Montrer" }).click();
  await page.waitForURL(/controle\?/);
  const found = page.getByRole("listitem").filter({ hasText: sentence }).first();
  await found.getByRole("link", { name: /^Trace n°/ }).click();
  await page.getByRole("heading", { name: /^Trace n°/ }).waitFor();
  const words = await page.locator("main").innerText();
  for (const secret of secrets) assert.ok(!words.includes(secret), `« ${secret} » stands in a record`);
  await page.context().close();
  return words;
}

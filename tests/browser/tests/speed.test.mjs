// « One sentence written and shared in 90 seconds », on a phone, counted in steps and fields rather than in seconds of
// this machine.
//
// The model is the keystroke-level model (S. Card, T. Moran, A. Newell, « The keystroke-level model for user performance
// time with interactive systems », Communications of the ACM 23(7), 1980), with its published operators: M, one mental
// preparation, 1.35 s; P, one pointing (here a thumb that taps), 1.1 s; K, one key. For K we take 0.43 s: a phone typed on
// with both thumbs at 28 words a minute (five characters a word), slower than the 36 words a minute that Palin, Feit, Kim,
// Kristensson and Oulasvirta measured on 37 370 people (« How do people type on mobile devices? », MobileHCI 2019).
// R, the wait for one page, is 2 s: a phone on a poor network. Each page read before acting costs one M more per choice.
//
//     seconds = M × (choices + pages) + P × taps + K × characters + R × pages
//
// What it leaves out: thinking of the sentence, and scrolling beyond what the taps need.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory, text } from "../harness.mjs";

const M = 1.35;
const P = 1.1;
const K = 0.43;
const R = 2;
const PROMISED = 90;
/** What a change of the pages may not exceed without somebody deciding it: pages, fields (written, chosen or ticked), taps, characters. */
const BUDGET = { pages: 5, fields: 5, taps: 12, characters: 60 };

const territory = await ownTerritory();

test("one sentence is written and shared within 90 seconds on a phone, by the keystroke-level model", async () => {
  const page = await territory.as("Nadia Benali", { viewport: PHONE, hasTouch: true });
  const cost = { pages: 0, fields: 0, taps: 0, choices: 0, characters: 0 };
  const tap = async (what) => {
    cost.taps += 1;
    cost.choices += 1;
    await what.tap();
  };
  const type = async (what, words) => {
    await tap(what);
    cost.fields += 1;
    cost.characters += words.length;
    await what.fill(words);
  };
  // A list of the phone: one tap to open it, one to take the line.
  const choose = async (what, label) => {
    cost.taps += 2;
    cost.choices += 1;
    cost.fields += 1;
    await what.selectOption({ label });
  };
  const tick = async (what) => {
    await tap(what);
    cost.fields += 1;
    assert.ok(await what.isChecked());
  };
  const arrived = async (at) => {
    await page.waitForURL(at);
    cost.pages += 1;
  };

  // From the page of the pathway, where somebody is after a visit.
  await page.goto(at(territory, "S1"));
  await tap(page.getByRole("link", { name: "Écrire", exact: true }).first());
  await arrived("**/ecrire");
  await tap(page.getByRole("link", { name: "Scolarité", exact: true }));
  await arrived("**/ecrire?**");
  await type(page.getByLabel("En une ligne"), "Retour en classe");
  await type(page.getByLabel("Le fait"), "Est revenue tous les matins cette semaine");
  await choose(page.getByLabel("D'où vient-il ?"), "constaté");
  await tap(page.getByRole("button", { name: "Enregistrer et voir qui lira" }));
  await arrived("**/partager?**");
  await accessible(page);
  await fits(page);
  // The text is chosen already; the purpose, the question, the people, and it is shared.
  assert.ok(await page.getByLabel(/Retour en classe/).isChecked(), "what was just written is chosen");
  await choose(page.getByLabel("Pourquoi ?"), "Coordonner le parcours");
  await tap(page.getByRole("button", { name: "Voir qui lira" }));
  await arrived("**/partager?**purpose=**");
  await tick(page.getByLabel("Partager avec Samira Haddad"));
  await tap(page.getByRole("button", { name: "Partager avec les personnes cochées" }));
  await arrived(/partages\/[a-z0-9]{26}/);
  assert.match(await text(page), /Relais n'envoie pas de message/);

  const seconds = M * (cost.choices + cost.pages) + P * cost.taps + K * cost.characters + R * cost.pages;
  const said = `${JSON.stringify(cost)}: ${seconds.toFixed(1)} s`;
  for (const [what, most] of Object.entries(BUDGET)) assert.ok(cost[what] <= most, `too many ${what}: ${said}`);
  assert.ok(seconds <= PROMISED, said);
});

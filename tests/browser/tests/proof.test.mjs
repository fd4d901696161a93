// S4: what the auditor takes away proves a month later that nothing before it changed; and a view, sent as an address, is
// the same view for whoever opens it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory, text } from "../harness.mjs";

const territory = await ownTerritory();

const GIVEN = /Un point de contrôle que vous avez gardé/;

/** The same text with another letter near the end of a line. */
function otherByte(kept, line) {
  const lines = kept.split("\n");
  const place = lines[line].length - 12;
  lines[line] = lines[line].slice(0, place) + (lines[line][place] === "A" ? "B" : "A") + lines[line].slice(place + 1);
  return lines.join("\n");
}

/** Pastes a kept checkpoint, and has the whole log verified. */
async function verify(page, kept) {
  await page.goto(`${territory.base}/controle/preuve`);
  await page.getByLabel(GIVEN).fill(kept);
  await page.getByRole("button", { name: "Vérifier tout le journal" }).click();
}

test("S4 a checkpoint taken away holds a month later; with one byte changed it does not", async () => {
  const irene = await territory.as("Irène Vidal", { acceptDownloads: true });
  const downloaded = irene.waitForEvent("download");
  await irene.getByRole("link", { name: "Emporter un point de contrôle" }).first().click();
  const kept = readFileSync(await (await downloaded).path(), "utf8");
  assert.ok(kept.split("\n").length >= 4, "a signed note");

  // A month of work, and the log is longer.
  await territory.server.tell("days 31");
  const samira = await territory.as("Samira Haddad");
  await samira.goto(at(territory, "S1"));
  const later = await territory.as("Irène Vidal", { viewport: PHONE });
  await later.getByRole("link", { name: "Comparer avec un point de contrôle gardé" }).click();
  await later.getByLabel(GIVEN).fill(kept);
  await later.getByRole("button", { name: "Vérifier tout le journal" }).click();
  const held = await later.getByRole("status").innerText();
  const size = kept.split("\n")[1];
  assert.match(held, new RegExp(`Le journal tient.*rien n'a changé dans les ${size} premières traces`, "s"));
  await accessible(later);
  await fits(later);

  // One byte of the root, then one of the signature.
  for (const changed of [otherByte(kept, 2), otherByte(kept, 4)]) {
    await verify(later, changed);
    await later.getByRole("alert").waitFor();
    assert.equal(await later.getByText("Le journal tient").count(), 0);
    assert.equal((await later.getByLabel(GIVEN).inputValue()).trim(), changed.trim(), "what was pasted is kept");
    await accessible(later);
  }
});

test("S4 a view is an address: opened in another browser, it shows the same records and the same filters", async () => {
  const irene = await territory.as("Irène Vidal");
  await irene.getByText("Plus de filtres").click();
  await irene.getByLabel("Jusqu'au").fill("2027-01-13");
  await irene.getByLabel("Profession", { exact: true }).selectOption({ label: "Éducateur AEMO / AED" });
  await irene.getByLabel("Sur quoi", { exact: true }).selectOption({ label: "Élément d'information" });
  await irene.getByRole("button", { name: "Montrer" }).click();
  await irene.waitForURL(/controle\?/);
  const found = async (page) => ({
    records: await page.getByRole("link", { name: /^Trace n°/ }).allInnerTexts(),
    chosen: await page.getByLabel("Profession", { exact: true }).inputValue(),
    said: (await text(page)).match(/^Du .* : autorisé .*$/m)?.[0],
  });
  const mine = await found(irene);
  assert.ok(mine.records.length > 0);
  // Codes and dates only: nobody's name, no word of what was read.
  const address = decodeURIComponent(irene.url());
  assert.doesNotMatch(address, /Lina|Claire|Morel|Traitement/);
  // Another browser knows nothing of the first but the address.
  const other = await territory.as("Irène Vidal", { viewport: PHONE });
  await other.goto(irene.url());
  assert.deepEqual(await found(other), mine);
  // Who is no auditor gets nothing from it.
  const nadia = await territory.as("Nadia Benali");
  assert.equal((await nadia.goto(irene.url())).status(), 404);
});

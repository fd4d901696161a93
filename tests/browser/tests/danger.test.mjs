import assert from "node:assert/strict";
import { test } from "node:test";
import { line, recorded } from "../acts.mjs";
import { accessible, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();

test("S20 danger is one step away, Relais transmits nothing, and the mention stays in one's own structure", async () => {
  const pathway = territory.pathway("S1");
  const page = await territory.as("Nadia Benali");
  await page.goto(`${territory.base}/parcours/${pathway}`);
  await page.getByRole("link", { name: "Danger" }).click();
  const words = await text(page);
  // Each number is dialled by pressing it; of the two of the department, which the charter says, as it is read.
  const numbers = page.getByRole("main");
  for (const number of ["15", "17", "112", "119"]) {
    assert.equal(await numbers.getByRole("link", { name: number, exact: true }).getAttribute("href"), `tel:${number}`);
  }
  for (const who of ["CRIP", "Procureur"]) {
    const link = line(numbers, who).getByRole("link");
    const digits = (await link.innerText()).replaceAll(/\s/g, "");
    assert.match(digits, /^0\d{9}$/, `the number of ${who}`);
    assert.equal(await link.getAttribute("href"), `tel:${digits}`);
  }
  assert.ok(words.includes("Relais ne transmet rien à votre place."));
  await accessible(page);
  await picture(page, "danger");

  // A date that has not come is refused, and what was chosen is kept.
  await page.getByLabel("À qui ?").selectOption({ label: "CRIP" });
  await page.getByLabel("Quel jour ?").fill("2027-12-01");
  await page.getByRole("button", { name: "Noter la transmission" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("À qui ?").inputValue(), "crip");
  await page.getByLabel("Quel jour ?").fill("2027-01-14");
  await page.getByRole("button", { name: "Noter la transmission" }).click();
  await page.getByText("C'est noté.").waitFor();
  assert.match(await text(page), /14 janvier 2027 : CRIP, par Nadia Benali/);

  await recorded(
    territory,
    { "Ce qui a été fait": "Création", "Sur quoi": "Mention d'une transmission" },
    /a créé la mention d'une transmission/,
    ["Lina", "Carpentier", "Benali"],
  );

  const other = await territory.as("Claire Morel");
  await other.goto(`${territory.base}/parcours/${pathway}/danger`);
  assert.ok(!(await text(other)).includes("14 janvier 2027"), "another structure does not see it");
});

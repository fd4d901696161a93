import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, ownTerritory, picture, text } from "../harness.mjs";

const territory = await ownTerritory();

test("S2 the other side reads the subjects, accepts, both confirm, and it says whether it had to start again", async () => {
  const pathway = territory.pathway("S2");
  const list = `${territory.base}/parcours/${pathway}/passages`;
  const claire = await territory.as("Claire Morel");
  await claire.goto(list);
  await claire.getByRole("link", { name: /Ouvrir le passage de relais/ }).click();
  assert.match(await text(claire), /rend compte au juge des enfants/);
  await accessible(claire);
  await picture(claire, "passage-de-relais");
  await claire.getByRole("button", { name: "Accepter de prendre le relais" }).click();
  await claire.getByRole("button", { name: "Confirmer que le relais est passé" }).click();
  await claire.getByText("Vous avez confirmé que le relais est passé.").waitFor();

  const samira = await territory.as("Samira Haddad");
  await samira.goto(list);
  await samira.getByRole("link", { name: /Ouvrir le passage de relais/ }).click();
  await samira.getByRole("button", { name: "Confirmer que le relais est passé" }).click();
  await samira.getByText("Le relais est passé.").first().waitFor();

  await claire.goto(list);
  await claire.getByRole("link", { name: /Ouvrir le passage de relais/ }).click();
  await claire.getByLabel("Non : le travail a continué").check();
  await accessible(claire);
  await claire.getByRole("button", { name: "Répondre" }).click();
  await claire.getByText("C'est noté.").waitFor();
  assert.equal(await claire.getByRole("button", { name: "Répondre" }).count(), 0);
});

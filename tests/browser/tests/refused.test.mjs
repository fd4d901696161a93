// The main forms when they are refused, on a phone: told at the top and at the field, what was written is kept, nothing
// scrolls sideways, no rule of axe is broken. Whatever the browser would check by itself is switched off: the server answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory } from "../harness.mjs";

const territory = await ownTerritory();

/** Presses a button of a page that a person opened, with what is filled in, and looks at what comes back. */
async function refused(page, path, fill, button) {
  await page.goto(path);
  await fill(page);
  await page.evaluate(() => {
    for (const form of document.forms) form.noValidate = true;
  });
  await page.getByRole("button", { name: button }).first().click();
  const told = page.getByRole("alert").first();
  await told.waitFor();
  const where = `${path}, refused`;
  await accessible(page, where);
  await fits(page, where);
  // Read first, and each line that names a field leads to it.
  assert.ok(await told.evaluate((e) => e === document.activeElement), `${where}: the summary is read first`);
  for (const link of await told.getByRole("link").all()) {
    const to = (await link.getAttribute("href")).slice(1);
    assert.equal(await page.locator(`[id="${to}"]`).count(), 1, `${where}: #${to}`);
  }
  return (await told.innerText()).trim();
}

const nothing = async () => {};

const forms = {
  "Nadia Benali": (home) => [
    [`${home}/ecrire?category=schooling`, (p) => p.getByLabel("Le fait").fill("Vient le matin"), "Enregistrer", "Le fait"],
    [`${home}/partager`, nothing, "Voir qui lira"],
    [`${home}/accords/preparer`, nothing, /à qui/],
    [`${home}/actions`, nothing, /Proposer|Enregistrer/],
    [`${home}/notes`, nothing, "Garder cette note"],
    [`${home}/danger`, (p) => p.getByLabel("Quel jour ?").fill("2027-12-01"), "Noter la transmission", "Quel jour ?"],
    [`${home}/protection`, nothing, /Enregistrer|Demander|Créer/],
    [`${home}/bilan`, (p) => p.getByLabel("Prochain bilan").fill("2026-01-01"), "Enregistrer le bilan"],
    [`${home}/cercle/referent`, nothing, "Nommer ce référent"],
    ["/parcours/ouvrir", nothing, /Ouvrir/],
    ["/compte", nothing, /[Cc]hanger/],
  ],
  "Alice Bernard": () => [
    ["/structures", (p) => p.getByLabel("Nom", { exact: true }).fill("Une structure"), "Enregistrer la structure", "Nom"],
    ["/structures/personnes", nothing, /Inviter/],
  ],
};

for (const [name, list] of Object.entries(forms)) {
  test(`forms of ${name} that are refused`, async () => {
    const page = await territory.as(name, { viewport: PHONE });
    const wrong = [];
    for (const [path, fill, button, kept] of list(at(territory, "S1"))) {
      const address = path.startsWith("/") ? territory.base + path : path;
      try {
        const told = await refused(page, address, fill, button);
        assert.ok(told.length > 10, `${path}: ${told}`);
        if (kept) assert.notEqual(await page.getByLabel(kept, { exact: true }).first().inputValue(), "", `${path}: « ${kept} » is kept`);
      } catch (error) {
        wrong.push(`${path}: ${error.message}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}

test("what was chosen on Partager and in an accord is not lost when the session ends, nor when somebody leaves quickly", async () => {
  const home = at(territory, "S1");
  const page = await territory.as("Nadia Benali", { viewport: PHONE });
  const signIn = () => page.getByRole("button", { name: /Nadia Benali/ }).first().click();
  const choose = async () => {
    await page.goto(`${home}/partager`);
    await page.getByLabel(/Trajet du matin/).check();
    await page.getByLabel("Pourquoi ?").selectOption({ label: "Soutenir la scolarité" });
  };
  const chosen = async () => {
    await page.getByRole("heading", { name: "Partager", exact: true }).waitFor();
    assert.ok(await page.getByLabel(/Trajet du matin/).isChecked());
    assert.equal(await page.getByLabel("Pourquoi ?").inputValue(), "schooling");
  };
  // The session ended: the question is in the address, and is answered after signing in.
  await choose();
  await territory.server.tell("seconds 1900");
  await page.getByRole("button", { name: "Voir qui lira" }).click();
  await signIn();
  await chosen();
  // Left quickly: kept for its author, offered on the next page, given back where it was.
  await choose();
  await page.getByRole("button", { name: "Quitter vite" }).click();
  await page.waitForURL("**/au-revoir");
  await page.goto(territory.base + "/connexion");
  await signIn();
  await page.getByRole("link", { name: "Reprendre ce texte" }).click();
  await chosen();
  await accessible(page);
  await page.getByRole("button", { name: "Voir qui lira" }).click();
  await page.waitForURL(/partager\?item=/);
  assert.equal(await page.getByText("Un texte non envoyé").count(), 0, "asked, it waits no longer");

  // An accord, at the step where it was left, with what the steps before said.
  await page.goto(`${home}/accords/preparer`);
  await page.getByLabel("Coordonner le parcours").check();
  await page.getByRole("button", { name: /à qui/ }).click();
  await page.getByRole("group", { name: /Infirmerie/ }).getByLabel("Nommer ce service").check();
  await territory.server.tell("seconds 1900");
  await page.getByRole("button", { name: /quoi/ }).click();
  await page.getByText("Votre texte est gardé").waitFor();
  await signIn();
  await page.getByText("Étape 2 sur 4").waitFor();
  assert.ok(await page.getByRole("group", { name: /Infirmerie/ }).getByLabel("Nommer ce service").isChecked());
  await page.getByRole("button", { name: /quoi/ }).click();
  await page.getByText("Étape 3 sur 4").waitFor();
  assert.match(await page.locator("main").innerText(), /But : « Coordonner le parcours »/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, accessible, fits, ownTerritory, picture, totp } from "../harness.mjs";

const territory = await ownTerritory();

async function present(page, account, code) {
  await page.goto(territory.base + "/connexion");
  await page.getByLabel("Identifiant").fill(account.login);
  await page.getByLabel("Mot de passe").fill(account.password);
  await page.getByLabel("Code à six chiffres").fill(code);
  await page.getByRole("button", { name: "Se connecter" }).click();
}

test("signing in as in real life: a wrong code says nothing of what was wrong, the right one opens", async () => {
  const account = territory.server.accounts.find((a) => a.login === "nadia.benali");
  const page = await (await territory.context({ viewport: PHONE })).newPage();
  await present(page, account, "000000");
  await page.getByRole("alert").getByText("ne convient pas").waitFor();
  assert.equal(await page.getByLabel("Identifiant").inputValue(), account.login, "what was typed is kept");
  assert.equal(await page.getByLabel("Mot de passe").inputValue(), "", "but never the password");
  await accessible(page);
  await fits(page);
  const now = Date.parse(await territory.server.tell("days 1"));
  await present(page, account, totp(account.totp_secret, now));
  await page.getByRole("heading", { level: 1, name: "Aujourd'hui" }).waitFor();
  assert.ok(await page.getByText("Nadia Benali").first().isVisible());
  await picture(page, "aujourdhui-360");
});

/** Back, after having left: the door, and no word of what was on the page. */
async function backShowsNothing(page, secrets) {
  await page.waitForURL("**/au-revoir");
  const words = await page.locator("body").innerText();
  assert.ok(!/Relais|parcours|Nadia/i.test(words), words);
  await page.goBack();
  await page.waitForURL("**/connexion**");
  const left = await page.content();
  for (const secret of ["Lina", ...secrets]) assert.ok(!left.includes(secret), `« ${secret} » stands behind the neutral page`);
}

test("leaving quickly: Shift three times, a neutral page, back does not return, and what was being written is given back", async () => {
  const note = "Ce qu'elle m'a dit dans la voiture, à relire";
  const page = await territory.as("Nadia Benali");
  await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}/notes`);
  await page.getByLabel("Nouvelle note").pressSequentially(note);
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("Shift");
  await backShowsNothing(page, ["dans la voiture"]);

  // Who signs in again finds the text on the first page, and the form as it was left; it is no note yet.
  await page.goto(territory.base + "/connexion");
  await page.getByRole("button", { name: /Nadia Benali/ }).click();
  await page.getByRole("heading", { level: 1, name: "Aujourd'hui" }).waitFor();
  await page.getByText("Un texte non envoyé est gardé pour vous seul").waitFor();
  await accessible(page);
  await page.getByRole("link", { name: /^Reprendre ce texte/ }).click();
  await page.getByRole("status").getByText("Voici votre texte. Il n'est pas encore enregistré.").waitFor();
  assert.equal(await page.getByLabel("Nouvelle note").inputValue(), note);
  await accessible(page);
  assert.match(await page.getByRole("main").innerText(), /Aucune note\./);
  await page.getByRole("button", { name: "Garder cette note" }).click();
  await page.getByRole("heading", { level: 2, name: "Déjà gardées" }).waitFor();
  assert.ok((await page.getByRole("article").innerText()).includes(note));
  await page.goto(territory.base + "/");
  await page.getByRole("heading", { level: 1, name: "Aujourd'hui" }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^Reprendre ce texte/ }).count(), 0, "once it is kept, nothing waits");
});

test("leaving by the button: back does not return either", async () => {
  const page = await territory.as("Nadia Benali");
  await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}`);
  await page.getByRole("button", { name: "Quitter vite" }).click();
  await backShowsNothing(page, ["Carpentier"]);
});

test("leaving by the button works without JavaScript", async () => {
  const page = await territory.as("Nadia Benali", { javaScriptEnabled: false });
  await page.getByRole("button", { name: "Quitter vite" }).click();
  await page.waitForURL("**/au-revoir");
  await page.goto(territory.base + "/parcours");
  assert.match(page.url(), /connexion\?suite=%2Fparcours/);
});

test("somebody who comes by a link signs in, and lands where the link led", async () => {
  const page = await (await territory.context()).newPage();
  await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}/danger`);
  await page.getByRole("button", { name: /Nadia Benali/ }).click();
  await page.waitForURL("**/danger");
  assert.ok(await page.getByText("119").first().isVisible());
});

test("refused and absent are the same page", async () => {
  const page = await territory.as("Rémi Colin");
  const refused = await page.goto(`${territory.base}/parcours/${territory.pathway("S1")}`);
  const [a, sa] = [await refused.body(), refused.status()];
  const absent = await page.goto(`${territory.base}/parcours/aaaaaaaaaaaaaaaaaaaaaaaaaa`);
  assert.equal(sa, 404);
  assert.equal(absent.status(), 404);
  assert.ok(a.equals(await absent.body()));
  const unknown = await page.goto(`${territory.base}/nulle-part`);
  assert.ok(a.equals(await unknown.body()));
});

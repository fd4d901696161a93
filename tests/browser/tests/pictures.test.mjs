// The main screens of the demonstration at a desk: each is the page that its name says, fits, and breaks no rule of axe.
// With RELAIS_SCREENS=1 each leaves its picture in docs/screens (docs/screens.md shows them all).
import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "../acts.mjs";
import { DESK, PHONE, accessible, fits, ownTerritory, picture } from "../harness.mjs";

const territory = await ownTerritory();
const home = at(territory, "S1");
const desk = (path) => territory.base + path;

/**
 * Who looks, and the screens: the name of a picture, an address, the heading, and a link to follow first where the address
 * asks a question. A picture shows the first screenful.
 */
const SCREENS = {
  "Nadia Benali": [
    ["aujourdhui", desk("/"), "Aujourd'hui"],
    ["parcours", home, "Informations"],
    ["ecrire", `${home}/ecrire`, "Écrire : Loisirs, culture, sport", /^Loisirs/],
    ["puis-je-le-dire", `${home}/puis-je-le-dire`, "Puis-je le lui dire ?"],
    ["accords", `${home}/accords`, "Accords"],
    ["feuille-de-la-famille", `${home}/feuille-de-la-famille`, "La feuille de la famille", /^La feuille pour/],
    ["sejour", `${home}/sejour`, "Préparer un séjour"],
    ["passer-le-relais", `${home}/passages/nouveau`, "Passer le relais"],
    ["qui-a-consulte", `${home}/consultations`, "Qui a consulté"],
    ["chronologie", `${home}/chronologie`, "Chronologie"],
    ["charte", desk("/charte"), "Charte de coopération du Territoire de Val-d'Orme"],
    ["mon-compte", desk("/compte"), "Mon compte"],
    ["aide", desk("/aide"), "Aide"],
    ["page-introuvable", desk("/parcours/nulle-part"), "Introuvable"],
  ],
  "Hélène Roux": [["responsable", desk("/responsable"), "Responsable"]],
  "Odile Simon": [["secretariat", desk("/secretariat"), "Secrétariat"]],
  "Alice Bernard": [
    ["structures", desk("/structures"), "Structures"],
    ["personnes", desk("/structures/personnes"), "Les personnes"],
  ],
};

/** Of these, the whole page: what matters stands below the first screenful. */
const WHOLE = new Set(["feuille-de-la-famille"]);
/** Of these, a picture on a phone too. */
const ON_A_PHONE = new Set(["parcours", "ecrire", "accords"]);

test("the sign-in page of a demonstration", async () => {
  const page = await (await territory.context()).newPage();
  await page.goto(desk("/connexion"));
  await page.getByRole("heading", { level: 1 }).waitFor();
  await accessible(page);
  await fits(page);
  await picture(page, "connexion", { fullPage: false });
  await page.setViewportSize(PHONE);
  await picture(page, "connexion-360", { fullPage: false });
});

for (const [name, screens] of Object.entries(SCREENS)) {
  test(`the main screens of ${name}, at a desk`, async () => {
    const page = await territory.as(name);
    for (const [file, address, heading, first] of screens) {
      await page.setViewportSize(DESK);
      await page.goto(address);
      if (first) {
        await page.getByRole("link", { name: first }).first().click();
        await page.waitForURL((url) => url.search !== "");
      }
      const found = await page.getByRole("heading", { level: 1 }).innerText();
      assert.equal(found, heading, address);
      await accessible(page);
      await fits(page);
      await picture(page, file, { fullPage: WHOLE.has(file) });
      if (!ON_A_PHONE.has(file)) continue;
      await page.setViewportSize(PHONE);
      await picture(page, `${file}-360`, { fullPage: false });
    }
    await page.context().close();
  });
}

// Somebody new: invited by who administers, who opens the account alone, is recognised by a colleague and given two
// affectations by two people; until then, what is awaited is told. Then one of the two is chosen. Each test goes on where
// the one before ended.
import assert from "node:assert/strict";
import { test } from "node:test";
import { recorded } from "../acts.mjs";
import { PHONE, accessible, fits, ownTerritory, text, totp } from "../harness.mjs";

const territory = await ownTerritory();

const CHLOE = "Chloé Dubois";
const LOGIN = "chloe.dubois";
const PASSWORD = "lanterne framboise trottoir hibou";
const PREVENTION = "Éducateur de prévention spécialisée";
const STAYS = "Direction ou animation de séjour";

/** Of the invitation, as it was said to her. */
let code;
/** Her telephone: a page, and the key of its second factor. */
let chloe;
let key;

/** Nothing is cut off on her telephone, and no rule of axe is broken. */
async function looked(page) {
  await accessible(page);
  await fits(page);
}

/** Her first page, with what she is told. */
async function told() {
  await chloe.goto(territory.base + "/");
  await looked(chloe);
  return text(chloe);
}

/** Alice states an affectation: checked first, then recorded. */
async function stated(alice, structure, { mission, profession, secrecy, basis }) {
  await alice.goto(territory.base + "/structures");
  await alice.getByRole("link", { name: structure }).click();
  await alice.getByRole("link", { name: "Donner une affectation" }).click();
  await alice.getByLabel("Personne", { exact: true }).selectOption({ label: `${CHLOE} (${LOGIN})` });
  await alice.getByLabel("Mission", { exact: true }).selectOption({ label: mission });
  await alice.getByLabel("Profession", { exact: true }).selectOption({ label: profession });
  await alice.getByRole("radio", { name: "Professionnel", exact: true }).check();
  await alice.getByRole("radio", { name: secrecy, exact: true }).check();
  if (basis) await alice.getByLabel("Texte sur lequel repose le secret").selectOption({ label: basis });
  await alice.getByRole("button", { name: "Vérifier avant d'enregistrer" }).click();
  await alice.getByRole("heading", { name: "Ce qui va être enregistré" }).waitFor();
  assert.match(await text(alice), /La charte en vigueur connaît cette profession sous ce statut/);
  await accessible(alice);
  await alice.getByRole("button", { name: "Enregistrer cette affectation" }).click();
  await alice.getByText("C'est enregistré. Une seconde personne doit confirmer.").waitFor();
}

test("somebody is invited in the pages: the code is shown once, to be said and not sent", async () => {
  const alice = await territory.as("Alice Bernard");
  await alice.goto(territory.base + "/structures");
  await alice.getByRole("link", { name: "Les personnes et les invitations" }).click();
  await alice.getByLabel("Prénom et nom").fill(CHLOE);
  await alice.getByLabel("Identifiant").fill(LOGIN);
  await alice.getByLabel("Téléphone").fill("06 01 02 03 77");
  await alice.getByRole("button", { name: "Inviter et voir le code" }).click();
  await alice.getByRole("heading", { level: 1, name: `Le code d'invitation de ${CHLOE}` }).waitFor();
  code = (await alice.getByRole("code").innerText()).trim();
  assert.match(await text(alice), /Il n'est montré qu'ici, une seule fois.*Relais ne l'envoie pas/s);
  await accessible(alice);
  await alice.getByRole("link", { name: "Voir la personne" }).click();
  await alice.getByRole("heading", { level: 1, name: CHLOE }).waitFor();
  assert.match(await text(alice), /Le compte n'est pas encore ouvert/);
  assert.ok(!(await alice.content()).includes(code), "never again");
});

test("the account is opened with the code: a password twice, the second factor installed, and its digits", async () => {
  chloe = await (await territory.context({ viewport: PHONE })).newPage();
  await chloe.goto(territory.base + "/connexion");
  await chloe.getByRole("link", { name: "J'ai reçu un code d'invitation" }).click();
  await looked(chloe);
  const first = async (typed, again) => {
    await chloe.getByLabel("Code d'invitation").fill(typed);
    await chloe.getByLabel("Choisissez un mot de passe").fill(PASSWORD);
    await chloe.getByLabel("Le même, encore une fois").fill(again);
    await chloe.getByRole("button", { name: "Continuer" }).click();
  };
  // Typed otherwise the second time: told at the field, the code is kept and the passwords are not.
  await first(code, `${PASSWORD} `);
  await chloe.getByRole("alert").waitFor();
  assert.equal(await chloe.getByLabel("Code d'invitation").inputValue(), code);
  assert.equal(await chloe.getByLabel("Choisissez un mot de passe").inputValue(), "");
  await looked(chloe);
  await first(code.toUpperCase(), PASSWORD);
  await chloe.getByRole("heading", { level: 1, name: "Votre téléphone et vos codes de secours" }).waitFor();
  await looked(chloe);
  const shown = async () => ({
    key: (await chloe.getByRole("region", { name: "Installez le second facteur" }).getByRole("code").innerText()).replaceAll(/\s/g, ""),
    rescue: await chloe.getByRole("region", { name: "Gardez vos codes de secours" }).getByRole("code").allInnerTexts(),
  });
  const before = await shown();
  ({ key } = before);
  assert.match(key, /^[A-Z2-7]{32}$/);
  assert.equal(new Set(before.rescue).size, before.rescue.length);
  assert.ok(before.rescue.length >= 8, before.rescue.join());

  // Wrong digits: the same key and the same codes, nothing has to be installed again.
  const now = Date.parse(await territory.server.tell("seconds 0"));
  const digits = totp(key, now);
  const confirm = async (typed) => {
    await chloe.getByLabel("Code à six chiffres").fill(typed);
    await chloe.getByRole("button", { name: /J'ai gardé mes codes/ }).click();
  };
  await confirm(digits.replaceAll(/\d/g, (d) => String((Number(d) + 5) % 10)));
  await chloe.getByRole("alert").waitFor();
  assert.deepEqual(await shown(), before);
  await looked(chloe);
  await confirm(digits);
  await chloe.getByText("Votre compte est ouvert. Une ou un collègue doit maintenant vous reconnaître.").waitFor();
  await looked(chloe);
  assert.match(await text(chloe), /Vous n'avez aucune affectation/);

  // The code has served.
  const other = await (await territory.context({ viewport: PHONE })).newPage();
  await other.goto(territory.base + "/ouvrir");
  await other.getByLabel("Code d'invitation").fill(code);
  await other.getByLabel("Choisissez un mot de passe").fill(PASSWORD);
  await other.getByLabel("Le même, encore une fois").fill(PASSWORD);
  await other.getByRole("button", { name: "Continuer" }).click();
  await other.getByRole("alert").waitFor();
});

test("until somebody has confirmed and a colleague has recognised her, she is told what is awaited", async () => {
  assert.match(await told(), /Vous ne pouvez pas encore travailler ici.*Vous n'avez aucune affectation en cours/s);

  const alice = await territory.as("Alice Bernard");
  await stated(alice, /Rue & Liens/, {
    mission: "Prévention spécialisée",
    profession: PREVENTION,
    secrecy: "Tenu au secret professionnel",
    basis: "CASF L221-6 (mission d'aide sociale à l'enfance)",
  });
  assert.match(await text(alice), /En attente d'une autre personne que vous/);
  await stated(alice, /Ville de Val-d'Orme/, {
    mission: "Séjours et accueils de loisirs",
    profession: STAYS,
    secrecy: "Tenu à la discrétion, pas au secret",
  });
  const waits = await told();
  for (const structure of ["Rue & Liens", "Ville de Val-d'Orme"]) {
    assert.match(waits, new RegExp(`${structure}.*Votre affectation attend une seconde confirmation, par une autre personne que celle qui l'a proposée`, "s"));
  }

  const bruno = await territory.as("Bruno Carré");
  for (const words of [/prévention spécialisée/i, /séjour/i]) {
    await bruno.goto(territory.base + "/structures");
    await bruno.getByRole("region", { name: /Une seconde personne est attendue/ }).getByRole("link", { name: CHLOE }).filter({ hasText: words }).click();
    await bruno.getByRole("heading", { name: `Confirmer l'affectation de ${CHLOE} ?` }).waitFor();
    await accessible(bruno);
    await bruno.getByRole("button", { name: "C'est exact, je confirme" }).click();
    await bruno.getByText("C'est confirmé : l'affectation prend effet.").waitFor();
  }
  assert.match(await told(), /Votre affectation est confirmée\. Elle attend que votre compte soit reconnu\./);

  // A colleague, who neither invited nor confirmed.
  const samira = await territory.as("Samira Haddad");
  await samira.goto(territory.base + "/compte");
  await samira.getByRole("button", { name: `Je reconnais ${CHLOE}` }).click();
  await samira.getByText("Cette personne est reconnue.").waitFor();
});

test("with two affectations she chooses under which she works, and changes it without signing in again", async () => {
  // Signed in anew, as every morning.
  const now = Date.parse(await territory.server.tell("days 1"));
  await chloe.goto(territory.base + "/connexion");
  await chloe.getByLabel("Identifiant").fill(LOGIN);
  await chloe.getByLabel("Mot de passe").fill(PASSWORD);
  await chloe.getByLabel("Code à six chiffres").fill(totp(key, now));
  await chloe.getByRole("button", { name: "Se connecter" }).click();
  const asked = chloe.getByRole("heading", { level: 1, name: "Sous quelle affectation travaillez-vous maintenant ?" });
  await asked.waitFor();
  await looked(chloe);
  const head = chloe.getByRole("banner");
  assert.ok(!/Rue & Liens|Ville de Val-d'Orme/.test(await head.innerText()), "none yet");
  const works = async (structure, profession) => {
    await chloe.getByRole("button", { name: structure }).click();
    await chloe.getByRole("heading", { level: 1, name: "Aujourd'hui" }).waitFor();
    await looked(chloe);
    const words = await head.innerText();
    assert.ok(words.includes(profession), words);
  };
  await works(/Rue & Liens/, "prévention spécialisée");
  await chloe.getByRole("link", { name: "Changer d'affectation" }).first().click();
  await asked.waitFor();
  await works(/Ville de Val-d'Orme/, "séjour");

  await recorded(territory, { "Ce qui a été fait": "Acceptation", "Sur quoi": "Compte" }, "a ouvert son compte", ["Chloé", "Dubois", LOGIN, code]);
});

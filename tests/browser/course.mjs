// S3 in one piece: a pathway is opened with what the young person prefers, nothing begins and nothing is shared without an
// accord, and when the review does not take place sharing stops, then reading, but for a stay in progress. Each test goes
// on where the one before ended. The whole is told in any browser: with scripts, and without.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acceptInvitation, inviteDirector, inviteMember, line, lookWhoReads, noteOpinion, prepareAccord, reads, recorded, share,
  signAccord, write,
} from "./acts.mjs";
import { accessible, fits, text } from "./harness.mjs";

const NADIA = "Nadia Benali";
const TODAY = "2027-01-14";
const PREFERS = "Je veux que ce soit Nadia, elle connaît ma mère.";
const ACTION = "Inscrire à l'aide aux devoirs";
const HOMEWORK = "Vient à l'aide aux devoirs le mardi";
const COAT = "Un manteau et des bottes";
const PARENTS = ["Marie Faure", "Jean Faure"];
/** Of the review, of the warning before it, and of the pause after it. */
const REVIEW = { warned: "2027-02-13", due: "2027-03-15", paused: "2027-04-14" };
const SCHOOL = "Soutenir la scolarité";

/** The tests of S3 in a territory, in browsers with these options of Playwright's. */
export function tellCourse(territory, options = {}) {
  const scripts = options.javaScriptEnabled ?? true;
  const how = scripts ? "" : ", without JavaScript:";
  let home;
  /** The address of the sentence about homework. */
  let sentence;

  /** Somebody signed in, in a browser of this kind. */
  const as = (name) => territory.as(name, options);

  /** axe waits for timers, which a browser without scripts never runs: there, a page has to fit its window. */
  const checked = scripts ? accessible : fits;

  /** Somebody's first page on a day, in the morning. */
  async function morning(day, name) {
    await territory.server.tell(`go ${day}T09:00:00Z`);
    return as(name);
  }

  /** Signed by both parents, whom words for a teacher need, and agreed to by the child, who is twelve. */
  async function agreed(page, accord) {
    await prepareAccord(page, home, accord);
    await signAccord(page, PARENTS.map((name) => new RegExp(name)), TODAY);
    await noteOpinion(page, "D'accord", TODAY);
    assert.match(await text(page), /En cours jusqu'au/);
  }

  /** Asks on Partager who would read the sentence about homework. */
  const ask = (page) => lookWhoReads(page, home, ["Aide aux devoirs"], SCHOOL, "2027-06-30");

  test(`S3${how} a pathway is opened with who the young person prefers, and who holds authority`, async () => {
    const page = await as(NADIA);
    await page.getByRole("link", { name: "Ouvrir un parcours" }).first().click();
    await page.getByLabel("Prénom").fill("Élise");
    await page.getByLabel("Nom", { exact: true }).fill("Faure");
    await page.getByLabel(/Date de naissance/).fill("2014-05-02");
    await page.getByLabel("Qui l'a dit ?").selectOption({ label: "Le jeune" });
    await page.getByLabel("Ce qui a été dit").fill(PREFERS);
    await page.getByLabel("Quel jour ?").fill(TODAY);
    await page.getByLabel("Avec l'accord de la famille").check();
    await page.getByLabel("Date du premier bilan").fill(REVIEW.due);
    await page.getByRole("button", { name: "Ouvrir le parcours" }).click();
    await page.getByText("Le parcours est ouvert.").waitFor();
    home = page.url().replace(/\/personne.*$/, "");
    assert.match(await text(page), /Aucun titulaire n'est enregistré : pour un mineur, aucun accord ne peut compter/);
    for (const name of PARENTS) {
      const capacity = page.getByLabel("En quelle qualité ?");
      if (!(await capacity.isVisible())) await page.getByText("Ajouter une personne").click();
      await capacity.selectOption({ label: "Parent, titulaire de l'autorité parentale" });
      await page.getByRole("textbox", { name: "Nom" }).first().fill(name);
      await page.getByLabel("Depuis le").fill("2014-05-02");
      await page.getByRole("button", { name: "Ajouter cette personne" }).click();
      await line(page, name).getByText("peut signer").waitFor();
    }
    await checked(page);
    // What was preferred is read where a référent is chosen.
    await page.goto(`${home}/cercle/referent`);
    assert.ok((await text(page)).includes(PREFERS));
  });

  test(`S3${how} no action starts, and nobody is invited, without an accord; then each reads what the accord allows`, async () => {
    const page = await as(NADIA);
    await page.goto(`${home}/actions`);
    await page.getByLabel("Quoi ?").fill(ACTION);
    await page.getByLabel("Sur quel sujet ?").selectOption({ label: "Scolarité" });
    await page.getByLabel("Qui la fait ?").selectOption({ label: "Nadia Benali, Ville de Val-d'Orme" });
    await page.getByLabel("Pour quand ?").fill("2027-02-01");
    await page.getByRole("button", { name: "Proposer l'action" }).click();
    const begin = page.getByRole("button", { name: `En cours : ${ACTION}` });
    await begin.click();
    await page.getByText("Aucune action ne commence sans accord", { exact: false }).first().waitFor();
    await page.goto(`${home}/actions`);
    assert.match(await line(page, ACTION).innerText(), /Proposée/, "refused, it stays proposed");

    await agreed(page, { purpose: "Coordonner le parcours", service: /Prévention spécialisée/, subjects: ["Scolarité"], last: "2027-12-31" });
    await page.goto(`${home}/actions`);
    await begin.click();
    await page.getByRole("button", { name: `Faite : ${ACTION}` }).waitFor();

    await write(page, home, "Scolarité", "Aide aux devoirs", { "Le fait": HOMEWORK, "D'où vient-il ?": { choose: "constaté" } });
    await write(page, home, "Besoins pratiques", "Affaires", { "Quel besoin ?": { choose: "Vêtements chauds" }, Précision: COAT }, { forStay: true });
    await agreed(page, { purpose: SCHOOL, service: /Enseignement/, words: ["Aide aux devoirs"], last: "2027-12-31" });
    await agreed(page, { purpose: "Préparer un séjour", service: /Séjours et accueils de loisirs/, words: ["Affaires"], last: "2027-04-30" });
    await inviteMember(page, home, /Collège/, "Julie Lambert", "Avec l'accord de la famille");
    await inviteDirector(page, home, "2027-04-24");
    await page.getByText("L'invitation est enregistrée.").waitFor();

    // Invited is not in the circle: Partager says what is missing.
    await ask(page);
    const teacher = () => line(page, "Julie Lambert").innerText();
    assert.match(await teacher(), /^\s*Ne lira pas.*N'a pas encore accepté l'invitation/s);
    const { page: julie } = await acceptInvitation(territory, "Julie Lambert", options);
    await acceptInvitation(territory, "Paul Girard", options);
    await ask(page);
    assert.match(await teacher(), /^\s*Lira/);
    assert.match(await line(page, "Paul Girard").innerText(), /^\s*Ne lira pas.*La charte ne permet pas à cette profession/s);
    assert.ok(!(await reads(julie, home, HOMEWORK)), "nothing is shared until somebody shares");

    await page.goto(home);
    sentence = (await page.getByRole("link", { name: /^Corriger.*Aide aux devoirs/ }).evaluate((a) => a.href)).replace("/corriger", "");
    await share(page, home, ["Aide aux devoirs"], SCHOOL, ["Julie Lambert"], "2027-06-30");
    await share(page, home, ["Affaires"], "Préparer un séjour", ["Paul Girard"], "2027-04-24", "2027-04-10");
    assert.equal((await julie.goto(sentence)).status(), 200);
    assert.ok((await text(julie)).includes(HOMEWORK));
    assert.ok(!(await reads(julie, home, COAT)), "another purpose, another profession");
  });

  test(`S3${how} thirty days before the review the référente and her manager are told, and sharing goes on`, async () => {
    const page = await morning(REVIEW.warned, NADIA);
    assert.match(await line(page, "Bilan bientôt").innerText(), /dans 30 jours.*Élise Faure\. Le bilan est prévu le 15 mars 2027/s);
    const manager = await as("Hélène Roux");
    const told = await line(manager, "Bilan d'un parcours de votre structure").innerText();
    assert.match(told, /dans 30 jours.*référent Nadia Benali/s);
    assert.ok(!/Élise|Faure/.test(await text(manager)), "a manager is told of no name");
    await share(page, home, ["Aide aux devoirs"], SCHOOL, ["Julie Lambert"], "2027-06-20");
  });

  test(`S3${how} from the day of the review nothing new is shared, and what is shared is still read`, async () => {
    // Opened and ticked before midnight, pressed after it.
    await territory.server.tell("go 2027-03-14T22:50:00Z");
    const late = await as(NADIA);
    const shares = async () => {
      await late.goto(`${home}/partages`);
      return late.getByRole("main").getByRole("link", { name: SCHOOL }).count();
    };
    const before = await shares();
    assert.ok(before >= 2, `${before} shares`);
    await ask(late);
    await late.getByLabel("Partager avec Julie Lambert").check();
    await territory.server.tell("go 2027-03-14T23:05:00Z");
    await late.getByRole("button", { name: "Partager avec les personnes cochées" }).click();
    assert.match(await late.getByRole("alert").innerText(), /Le bilan était prévu le 15 mars 2027 : faites-le avant de partager à nouveau\./);
    await checked(late);
    assert.equal(await shares(), before, "no share was made");

    const page = await morning(REVIEW.due, NADIA);
    const waits = line(page, "Bilan à faire");
    assert.match(await waits.innerText(), /Aucun nouveau partage tant qu'il n'a pas eu lieu ; la lecture s'arrête le 14 avril 2027/);
    await checked(page);
    const manager = await as("Hélène Roux");
    assert.match(await line(manager, "Bilan d'un parcours de votre structure").innerText(), /Le bilan était prévu le 15 mars 2027.*Appelez le référent/s);
    assert.ok(await reads(await as("Julie Lambert"), home, HOMEWORK));
    // Partager says so, and offers nobody to share with.
    await ask(page);
    assert.match(await text(page), /Aucun nouveau partage tant que le bilan n'a pas eu lieu\. Ce qui est déjà partagé se lit encore\./);
    assert.match(await line(page, "Julie Lambert").innerText(), /^\s*Ne lira pas/);
    assert.equal(await page.getByRole("checkbox", { name: /^Partager avec/ }).count(), 0, "nobody to tick");
    assert.equal(await page.getByRole("button", { name: "Partager avec les personnes cochées" }).count(), 0, "nothing to press");
    await page.getByRole("main").getByRole("link", { name: "Faire le bilan" }).first().waitFor();
    await checked(page);
  });

  test(`S3${how} thirty days later reading is suspended, except for the stay in progress`, async () => {
    await territory.server.tell(`go 2027-04-13T21:59:00Z`);
    assert.ok(await reads(await as("Julie Lambert"), home, HOMEWORK), "until the last minute");
    const page = await morning(REVIEW.paused, NADIA);
    assert.match(await line(page, "Partage en pause : le bilan n'a pas eu lieu").innerText(), /Seul un séjour en cours se lit encore/);
    const julie = await as("Julie Lambert");
    assert.ok(!(await reads(julie, home, HOMEWORK)), "suspended");
    assert.equal((await julie.goto(sentence)).status(), 404, "by its address too");
    const paul = await as("Paul Girard");
    assert.ok(await reads(paul, `${home}/sejour`, COAT), "he is on the camp with her");
    await page.goto(`${home}/partages`);
    await page.getByRole("link", { name: SCHOOL }).first().click();
    await page.getByText("Qui l'a lu ?").waitFor();
    assert.match(await text(page), /[Ee]n pause : le bilan n'a pas eu lieu/);
    await checked(page);
  });

  test(`S3${how} Partager says « ne lira pas » under the pause, and leads to the review`, async () => {
    const page = await as(NADIA);
    await ask(page);
    const julie = line(page, "Julie Lambert");
    assert.match(await julie.innerText(), /^\s*Ne lira pas/);
    assert.match(await text(page), /Partage en pause : le bilan n'a pas eu lieu\./);
    assert.equal(await page.getByLabel("Partager avec Julie Lambert").count(), 0, "nothing to tick");
    await checked(page);
    await page.getByRole("main").getByRole("link", { name: "Faire le bilan" }).first().click();
    await page.waitForURL("**/bilan");
  });

  test(`S3${how} the review is held, and reading goes on`, async () => {
    const page = await as(NADIA);
    await page.getByRole("link", { name: "Faire le bilan" }).first().click();
    await page.getByLabel("Prise de contact et accord").check();
    await page.getByLabel("Prochain bilan").fill("2027-10-14");
    await page.getByRole("button", { name: "Enregistrer le bilan" }).click();
    await page.waitForURL(/fait=bilan/);
    assert.match(await text(page), /Prise de contact et accord · Bilan le 14 octobre 2027/);
    assert.ok(await reads(await as("Julie Lambert"), home, HOMEWORK));
    await share(page, home, ["Aide aux devoirs"], SCHOOL, ["Julie Lambert"], "2027-07-14");

    const secrets = ["Élise", "Faure", HOMEWORK, COAT, PREFERS];
    const refused = await recorded(
      territory,
      { Profession: "Enseignant, CPE, direction d'établissement", "Raison de la décision": "Le partage est en pause : le bilan n'a pas eu lieu." },
      /n.a pas pu consulter un élément d.information/,
      secrets,
      options,
    );
    assert.match(refused, /sharing_paused/);
    await recorded(territory, { "Ce qui a été fait": "Partage", "Sur quoi": "Partage", But: SCHOOL }, /a fait un partage/, secrets, options);
  });
}

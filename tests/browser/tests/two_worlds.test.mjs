// S11: what the teacher's pages say is the same, byte for byte, whether a hidden service takes part or not. Two
// territories tell the same story; in one of them an AEMO is named, invited, writes and shares.
import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptInvitation, at, inviteMember, prepareAccord, share, signAccord, write } from "../acts.mjs";
import { begin, text } from "../harness.mjs";

const HOMEWORK = "Revient en cours de français depuis lundi";
const FAMILY = [/Linh Nguyen/, /Paul Nguyen/, "Le jeune"];
const TODAY = "2027-01-14";

/** Invites somebody into the circle, who accepts; answers their page. */
async function join(territory, by, home, structure, name, mandate) {
  await inviteMember(by, home, structure, name, mandate);
  return (await acceptInvitation(territory, name)).page;
}

/** An accord of this person, signed by all of the family. */
async function agreed(page, home, accord) {
  await prepareAccord(page, home, { last: "2027-04-12", ...accord });
  await signAccord(page, FAMILY, TODAY);
  assert.match(await text(page), /En cours jusqu'au/);
}

/** Everything that somebody can open from a link, by kind of address, with what differs by nature left out. */
async function everything(page, base, most) {
  const seen = new Map();
  const waiting = [base + "/"];
  const same = (html) =>
    html
      .replace(/[a-z0-9]{26}/g, "·")
      .replace(/jusqu'à \d+ h \d+/g, "·")
      .replace(/localhost:\d+/g, "·");
  while (waiting.length > 0 && seen.size < most) {
    const url = new URL(waiting.shift());
    url.hash = "";
    // One's own acts give the number that each has in the log of the whole instance (threat model); the charter and the
    // help are the same for everybody, and speak of every profession.
    if (url.origin !== base || /^\/(compte|assets|charte|aide)/.test(url.pathname)) continue;
    const kind = same(url.pathname + url.search);
    if (seen.has(kind)) continue;
    const response = await page.goto(url.href);
    const type = (await response.allHeaders())["content-type"] ?? "";
    seen.set(kind, `${response.status()} ${same(await page.content())}`);
    if (!type.startsWith("text/html")) continue;
    for (const link of await page.locator("a[href]").evaluateAll((all) => all.map((a) => a.href))) {
      if (link.startsWith("https:")) waiting.push(link);
    }
  }
  return seen;
}

/** The story; answers what the teacher sees, and what somebody sees who knows of the hidden service. */
async function world(hidden) {
  const territory = await begin();
  try {
    const home = at(territory, "S5");
    const marc = await territory.as("Marc Delattre");
    await write(marc, home, "Scolarité", "En classe", { "Le fait": HOMEWORK, "D'où vient-il ?": { choose: "constaté" } });
    await agreed(marc, home, { purpose: "Soutenir la scolarité", service: /Enseignement/, words: ["En classe"] });
    const julie = await join(territory, marc, home, /Collège/, "Julie Lambert", "Avec l'accord de la famille");
    await agreed(marc, home, { purpose: "Coordonner le parcours", service: /Rue & Liens/, subjects: ["Scolarité"] });
    const samira = await join(territory, marc, home, /Rue & Liens/, "Samira Haddad", "Présence sur le quartier");
    await share(marc, home, ["En classe"], "Soutenir la scolarité", ["Julie Lambert"], "2027-03-12");
    if (hidden) {
      await agreed(samira, home, { purpose: "Coordonner le parcours", service: /Sauvegarde/, subjects: ["Scolarité"] });
      const claire = await join(territory, samira, home, /Sauvegarde/, "Claire Morel", "À la demande d'un juge");
      await write(claire, home, "Scolarité", "À la maison", { "Le fait": "Fait ses devoirs le mardi", "D'où vient-il ?": { choose: "constaté" } });
      await share(claire, home, ["À la maison"], "Coordonner le parcours", ["Samira Haddad"], "2027-03-12");
    }
    return { teacher: await everything(julie, territory.base, 45), informed: await everything(samira, territory.base, 6) };
  } finally {
    await territory.end();
  }
}

test("S11 the teacher's pages are the same with and without the hidden service", async () => {
  const [without, with_] = [await world(false), await world(true)];
  assert.deepEqual([...with_.teacher.keys()].sort(), [...without.teacher.keys()].sort(), "the same pages can be reached");
  assert.ok(with_.teacher.size >= 15, `${with_.teacher.size} pages only`);
  assert.ok([...with_.teacher.values()].some((html) => html.includes(HOMEWORK)), "she reads what was shared with her");
  for (const [page, html] of with_.teacher) {
    assert.equal(html, without.teacher.get(page), `${page} tells that somebody hidden takes part`);
  }
  // The comparison sees a difference where there is one to see.
  const told = [...with_.informed.values()].join("");
  assert.ok(told.includes("Claire Morel"), "Samira invited her, and knows");
  assert.notDeepEqual(with_.informed, without.informed);
});

// Time from navigation to complete page, number and weight of requests, of the main pages of the demonstration: the table
// of docs/benchmarks.md. `node weigh.mjs` writes it to the standard output (RELAIS_PROFILE=release: of the program as it is
// delivered). Beside its milliseconds each time is told as a ratio to the page of help, the least that this server can do
// for somebody signed in, so that a busy machine changes it little.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PHONE, begin } from "./harness.mjs";
import { at, lookWhoReads, prepareAccord } from "./acts.mjs";
import { startServer } from "./server.mjs";

const ROUNDS = Number(process.env.RELAIS_ROUNDS ?? 9);
const scratch = mkdtempSync(join(tmpdir(), "relais-weigh-"));
process.env.RELAIS_TEMPLATE = join(scratch, "template");
await (await startServer(process.env.RELAIS_TEMPLATE)).stop();
const territory = await begin();
const home = at(territory, "S1");
const pages = [
  ["Aide", "Nadia Benali", `${territory.base}/aide`],
  ["Aujourd'hui", "Nadia Benali", `${territory.base}/`],
  ["Parcours : informations", "Nadia Benali", home],
  ["Cercle", "Nadia Benali", `${home}/cercle`],
  ["Chronologie", "Nadia Benali", `${home}/chronologie`],
  ["Écrire", "Nadia Benali", `${home}/ecrire?category=leisure`],
  ["Partager, avant la question", "Nadia Benali", `${home}/partager`],
  ["Partager : qui lira ?", "Nadia Benali", () => asked],
  ["Puis-je le lui dire ?", "Nadia Benali", `${home}/puis-je-le-dire`],
  ["Accords", "Nadia Benali", `${home}/accords`],
  ["Accord : la feuille à signer", "Nadia Benali", () => `${accord}/feuille`],
  ["Accord : enregistrer une signature", "Nadia Benali", () => `${accord}/signer`],
  ["La feuille de la famille", "Nadia Benali", `${home}/feuille-de-la-famille?pour=young_person`],
  ["Préparer un séjour", "Nadia Benali", `${home}/sejour`],
  ["Passer le relais", "Nadia Benali", `${home}/passages/nouveau`],
  ["Qui a consulté", "Nadia Benali", `${home}/consultations`],
  ["Danger", "Nadia Benali", `${home}/danger`],
  ["Mon compte", "Nadia Benali", `${territory.base}/compte`],
  ["Fiche du séjour", "Paul Girard", `${home}/sejour`],
  ["Secrétariat", "Odile Simon", `${territory.base}/secretariat`],
  ["Responsable", "Hélène Roux", `${territory.base}/responsable`],
  ["Structures", "Alice Bernard", `${territory.base}/structures`],
  ["La charte", "Nadia Benali", `${territory.base}/charte`],
  ["Contrôle des accès", "Irène Vidal", `${territory.base}/controle`],
  ["La preuve du journal", "Irène Vidal", `${territory.base}/controle/preuve`],
  ["Contrôle des accès, filtré", "Irène Vidal", `${territory.base}/controle?from=2027-01-01&to=2027-03-31`],
];
const people = new Map();
for (const name of new Set(pages.map(([, name]) => name))) people.set(name, await territory.as(name, { viewport: PHONE }));

// What only an act leads to: a question on Partager, an accord that waits for its signatures.
const nadia = people.get("Nadia Benali");
await lookWhoReads(nadia, home, ["Aide aux devoirs"], "Soutenir la scolarité");
const asked = nadia.url();
await prepareAccord(nadia, home, { purpose: "Coordonner le parcours", service: /Infirmerie/, subjects: ["Besoins pratiques"] });
const accord = nadia.url().replace(/[?#].*$/, "");

/** One visit: what was asked for, what came over the wire, and how long until everything was there. */
async function visit(page, url) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  let requests = 0;
  let bytes = 0;
  const cached = new Set();
  session.on("Network.requestServedFromCache", ({ requestId }) => cached.add(requestId));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (cached.has(requestId) || encodedDataLength === 0) return;
    requests += 1;
    bytes += encodedDataLength;
  });
  await page.goto(url, { waitUntil: "load" });
  const [{ duration }] = await page.evaluate(() => performance.getEntriesByType("navigation").map((e) => e.toJSON()));
  await session.detach();
  return { requests, bytes, duration };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const found = pages.map(() => ({ durations: [] }));
// In turn, so that what else the machine does falls on every page alike.
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [i, [, name, url]] of pages.entries()) {
    const seen = await visit(people.get(name), typeof url === "function" ? url() : url);
    if (round > 0) found[i].durations.push(seen.duration);
    found[i] = { ...found[i], requests: seen.requests, bytes: seen.bytes };
  }
}
const context = await territory.context({ viewport: PHONE });
const first = await visit(await context.newPage(), `${territory.base}/connexion`);
const floor = found[0].durations;
console.log("| page | requests | KiB over the wire | time, ms | by that of « Aide » (smallest – largest) |");
console.log("|---|---|---|---|---|");
const kib = (bytes) => (bytes / 1024).toFixed(1);
console.log(`| Connexion, first visit: everything is fetched | ${first.requests} | ${kib(first.bytes)} | ${Math.round(first.duration)} | |`);
for (const [i, [title]] of pages.entries()) {
  const ratios = found[i].durations.map((d, round) => d / floor[round]);
  const ratio = `${median(ratios).toFixed(1)} (${Math.min(...ratios).toFixed(1)} – ${Math.max(...ratios).toFixed(1)})`;
  console.log(`| ${title} | ${found[i].requests} | ${kib(found[i].bytes)} | ${Math.round(median(found[i].durations))} | ${i === 0 ? "1" : ratio} |`);
}
console.log(`\n${ROUNDS - 1} rounds; « Aide » took ${Math.round(median(floor))} ms (median).`);
await territory.end();
rmSync(scratch, { recursive: true, force: true });

// Time from navigation to complete page, number and weight of requests, of the main pages of the demonstration: the table
// of docs/benchmarks.md. `node weigh.mjs` writes it to the standard output. Times are told as ratios to the page of help,
// the least that this server can do for somebody signed in, so that a busy machine changes them little.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PHONE, begin } from "./harness.mjs";
import { at } from "./acts.mjs";
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
  ["Partager, avant la question", "Nadia Benali", `${home}/partager`],
  ["Puis-je le lui dire ?", "Nadia Benali", `${home}/puis-je-le-dire`],
  ["Accords", "Nadia Benali", `${home}/accords`],
  ["Danger", "Nadia Benali", `${home}/danger`],
  ["Fiche du séjour", "Paul Girard", `${home}/sejour`],
  ["Secrétariat", "Odile Simon", `${territory.base}/secretariat`],
  ["Responsable", "Hélène Roux", `${territory.base}/responsable`],
  ["La charte", "Nadia Benali", `${territory.base}/charte`],
  ["Contrôle des accès", "Irène Vidal", `${territory.base}/controle`],
  ["Contrôle des accès, filtré", "Irène Vidal", `${territory.base}/controle?from=2027-01-01&to=2027-03-31`],
];
const people = new Map();
for (const name of new Set(pages.map(([, name]) => name))) people.set(name, await territory.as(name, { viewport: PHONE }));

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
    const seen = await visit(people.get(name), url);
    if (round > 0) found[i].durations.push(seen.duration);
    found[i] = { ...found[i], requests: seen.requests, bytes: seen.bytes };
  }
}
const context = await territory.context({ viewport: PHONE });
const first = await visit(await context.newPage(), `${territory.base}/connexion`);
const floor = found[0].durations;
console.log("| page | requests | KiB over the wire | time, by that of « Aide » (smallest – largest) |");
console.log("|---|---|---|---|");
const kib = (bytes) => (bytes / 1024).toFixed(1);
console.log(`| Connexion, first visit: everything is fetched | ${first.requests} | ${kib(first.bytes)} | |`);
for (const [i, [title]] of pages.entries()) {
  const ratios = found[i].durations.map((d, round) => d / floor[round]);
  const ratio = `${median(ratios).toFixed(1)} (${Math.min(...ratios).toFixed(1)} – ${Math.max(...ratios).toFixed(1)})`;
  console.log(`| ${title} | ${found[i].requests} | ${kib(found[i].bytes)} | ${i === 0 ? "1" : ratio} |`);
}
console.log(`\n${ROUNDS - 1} rounds; « Aide » took ${Math.round(median(floor))} ms (median).`);
await territory.end();
rmSync(scratch, { recursive: true, force: true });

// Runs the tests in a browser: makes one demonstration, of which each test file gets a copy, and ends with the line that
// tests/run counts. `npm test -- s1` runs the files whose name contains `s1`.
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { readdirSync, mkdtempSync, rmSync, existsSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { folder, serverProgram, startServer } from "./server.mjs";

const scratch = mkdtempSync(join(tmpdir(), "relais-browser-"));
const template = join(scratch, "template");
process.env.RELAIS_TEMPLATE = template;

if (!existsSync(serverProgram)) {
  console.error(`${serverProgram} is missing: build it with \`cargo build --example clock_server\``);
  process.exit(2);
}
const server = await startServer(template);
await server.stop();

const wanted = process.argv.slice(2);
// A whole set of pictures replaces the one before: none stays of a page that is no longer so.
if (process.env.RELAIS_SCREENS && wanted.length === 0) rmSync(join(folder, "../../docs/screens"), { recursive: true, force: true });
const files = readdirSync(join(folder, "tests"))
  .filter((name) => name.endsWith(".test.mjs") && (wanted.length === 0 || wanted.some((w) => name.includes(w))))
  .sort()
  .map((name) => join(folder, "tests", name));
let passed = 0;
let failed = 0;
const stream = run({ files, concurrency: Number(process.env.RELAIS_BROWSERS ?? 2), timeout: 1_200_000 });
const count = (by) => (data) => {
  // A file is a suite of its tests: it counts only when it fails by itself.
  if (data.details?.type === "suite" || (data.nesting === 0 && data.name.endsWith(".test.mjs") && by > 0)) return;
  if (by > 0) passed += 1;
  else failed += 1;
};
stream.on("test:pass", count(1));
stream.on("test:fail", count(-1));
stream.compose(new spec()).pipe(process.stdout);
stream.on("end", () => {
  rmSync(scratch, { recursive: true, force: true });
  setTimeout(() => {
    console.log(`test result: ${passed} passed; ${failed} failed`);
    process.exit(failed > 0 || passed === 0 ? 1 : 0);
  }, 100);
});

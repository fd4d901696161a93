// What the pages take from npm packages: one stylesheet, one typeface, one set of icons. Pages load nothing from
// elsewhere, so the files are kept in src/web/assets/vendor. `npm run vendor` writes them again from the pinned
// packages; the tests compare them byte for byte.
import { readFileSync, readdirSync, writeFileSync, mkdirSync, existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../../src/web/assets/vendor");
const packaged = (path) => readFileSync(join(here, "node_modules", path));
const version = (name) => JSON.parse(packaged(`${name}/package.json`).toString()).version;

const icons = [
  "archive", "arrow-left", "arrow-right", "bell", "book-open", "building-2", "calendar", "check", 
  "circle-check", "circle-question-mark", "circle-x", "clock", "download", "eye", "file-text", "hand-heart", "history",
  "hourglass", "house", "info", "key-round", "landmark", "lock", "log-out", "message-circle", "pause", "pencil", "phone",
  "plus", "printer", "scale", "search", "send", "share-2", "shield-check", "siren", "tent", "triangle-alert",
  "undo-2", "user", "users", "waypoints",
];

/** The files of src/web/assets/vendor, by name. */
export function vendored() {
  const files = new Map();
  // The content security policy allows no `data:`: each of Pico's data URLs becomes a file beside it.
  const css = packaged("@picocss/pico/css/pico.classless.min.css").toString();
  const drawings = [];
  const rewritten = css.replace(/url\("data:image\/svg\+xml,([^"]*)"\)/g, (_, encoded) => {
    const drawing = decodeURIComponent(encoded).replaceAll("'", '"') + "\n";
    if (!drawings.includes(drawing)) drawings.push(drawing);
    return `url(pico-${drawings.indexOf(drawing) + 1}.svg)`;
  });
  if (/url\(["']?data:/.test(rewritten)) throw new Error("a data URL is left in Pico's stylesheet");
  files.set("pico.css", rewritten.replace(/^@charset[^;]*;/, ""));
  drawings.forEach((drawing, at) => files.set(`pico-${at + 1}.svg`, drawing));
  for (const weight of ["400", "700"]) {
    const name = `atkinson-hyperlegible-latin-${weight}-normal.woff2`;
    files.set(name.replace("-normal", ""), packaged(`@fontsource/atkinson-hyperlegible/files/${name}`));
  }
  for (const icon of icons) {
    const drawing = packaged(`lucide-static/icons/${icon}.svg`).toString();
    const inside = drawing.slice(drawing.indexOf(">", drawing.indexOf("<svg")) + 1, drawing.indexOf("</svg>"));
    files.set(`icons/${icon}.svg`, inside.split("\n").map((line) => line.trim()).join("") + "\n");
  }
  const licence = (title, path) => `${title}\n${"=".repeat(title.length)}\n\n${packaged(path).toString().trim()}\n`;
  files.set("LICENCES.md", [
    "What is in this folder comes from npm packages, unchanged but for Pico's data URLs (now files) and the frame of the\nicons (now written by the templates). `npm run vendor` in tests/browser makes it again.\n",
    licence(`@picocss/pico ${version("@picocss/pico")}`, "@picocss/pico/LICENSE.md"),
    licence(`@fontsource/atkinson-hyperlegible ${version("@fontsource/atkinson-hyperlegible")}`, "@fontsource/atkinson-hyperlegible/LICENSE"),
    licence(`lucide-static ${version("lucide-static")}`, "lucide-static/LICENSE"),
  ].join("\n"));
  return files;
}

/** Names of files that differ from their packages, that are missing, or that no package has. */
export function drifted() {
  const known = vendored();
  const there = readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const out = there.map((entry) => relative(target, join(entry.parentPath, entry.name))).filter((name) => !known.has(name));
  for (const [name, content] of known) {
    const path = join(target, name);
    if (!existsSync(path) || !readFileSync(path).equals(Buffer.from(content))) out.push(name);
  }
  return out;
}

if (process.argv.includes("--write")) {
  mkdirSync(join(target, "icons"), { recursive: true });
  for (const [name, content] of vendored()) writeFileSync(join(target, name), content);
  console.log(`${vendored().size} files written`);
}

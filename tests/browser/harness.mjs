// What a test does as a person would: sign in, read, fill in, press. It finds things by their labels and roles.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { after } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { folder, startServer } from "./server.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1280, height: 900 };
/** 1280 px at 400 % (WCAG 1.4.10), which 200 % of a window of 640 px are as well. */
export const ZOOMED = { width: 320, height: 480 };

// French spaces do not break (src/web/pages/spacing.rs): who reads sees a space, and so do the tests.
const plain = (words) => (Array.isArray(words) ? words.map(plain) : words?.replaceAll("\u00a0", " "));
const reading = new WeakSet();
function readPlainly(locator) {
  const kind = Object.getPrototypeOf(locator);
  if (reading.has(kind)) return;
  reading.add(kind);
  for (const how of ["innerText", "textContent", "allInnerTexts", "allTextContents"]) {
    const read = kind[how];
    kind[how] = async function (...options) {
      return plain(await read.apply(this, options));
    };
  }
}

/** A territory of one's own, with a browser; who begins one ends it. */
export async function begin() {
  const data = mkdtempSync(join(tmpdir(), "relais-story-"));
  cpSync(process.env.RELAIS_TEMPLATE, data, { recursive: true, mode: 0, force: true, preserveTimestamps: true });
  const server = await startServer(data);
  const browser = await chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
    // Pictures show the fields of dates as a French browser does (Debian's chromium-l10n); tests type them as any browser has them.
    env: process.env.RELAIS_SCREENS ? { ...process.env, LANGUAGE: "fr_FR" } : process.env,
  });
  const violations = [];
  const territory = {
    server,
    base: server.base,
    violations,
    pathway(story) {
      const found = server.pathways.find((p) => p.story.includes(story));
      assert.ok(found, `no pathway tells ${story}`);
      return found.id;
    },
    /** A browser of somebody's own; `options` are Playwright's (viewport, javaScriptEnabled, colorScheme…). */
    async context(options = {}) {
      const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        locale: "fr-FR",
        timezoneId: "Europe/Paris",
        viewport: DESK,
        reducedMotion: "reduce",
        ...options,
      });
      context.setDefaultTimeout(15_000);
      context.on("page", (page) => readPlainly(page.locator("main")));
      context.on("console", (message) => {
        if (/Content Security Policy|Content-Security-Policy/i.test(message.text())) violations.push(message.text());
      });
      context.on("weberror", (error) => violations.push(`script: ${error.error().message}`));
      return context;
    },
    /** Somebody of the demonstration, signed in by the door of the sign-in page. */
    async as(name, options = {}) {
      const context = await territory.context(options);
      const page = await context.newPage();
      await page.goto(server.base + "/connexion");
      await page.getByRole("button", { name: new RegExp(name) }).first().click();
      await page.waitForURL((url) => url.pathname !== "/connexion" && !url.pathname.startsWith("/demonstration"));
      return page;
    },
    async end() {
      await browser.close();
      await server.stop();
      rmSync(data, { recursive: true, force: true });
      assert.deepEqual(violations, [], "the content security policy was violated, or a script failed");
    },
  };
  return territory;
}

/** The territory of a test file, which ends with it. */
export async function ownTerritory() {
  const territory = await begin();
  after(() => territory.end());
  return territory;
}

/** The page as somebody reads it. */
export const text = (page) => page.locator("main").innerText();

/** The page whole: a click returns as soon as the next page has begun to arrive. */
const whole = (page) => page.waitForLoadState("load");

const EVERY_RULE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** The rules of axe that can be broken in the dark and held in the light. */
export const OF_COLOUR = { type: "rule", values: ["color-contrast", "link-in-text-block"] };

/** No rule of axe is broken on this page; `rules` as axe's `runOnly`. */
export async function accessible(page, where = page.url(), rules = EVERY_RULE) {
  await whole(page);
  // Run from the tool, not from the page: the content policy forbids scripts that are not ours.
  const session = await page.context().newCDPSession(page);
  const there = await session.send("Runtime.evaluate", { expression: "typeof axe", returnByValue: true });
  if (there.result.value === "undefined") await session.send("Runtime.evaluate", { expression: axeSource });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, { resultTypes: ["violations"], runOnly: ${JSON.stringify(rules)} }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | "))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  assert.equal(exceptionDetails, undefined, where);
  await session.detach();
  assert.deepEqual(JSON.parse(result.value), [], `accessibility of ${where}`);
}

/** Nothing has to be scrolled sideways. */
export async function fits(page, where = page.url()) {
  await whole(page);
  const { wide, window: width } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= width, `${where} is ${wide} px wide in a window of ${width} px`);
}

/** A picture for docs/screens, when they are being made (RELAIS_SCREENS=1). */
export async function picture(page, name, options = {}) {
  if (!process.env.RELAIS_SCREENS) return;
  const target = join(folder, "../../docs/screens");
  mkdirSync(target, { recursive: true });
  await page.screenshot({ path: join(target, `${name}.png`), fullPage: true, ...options });
}

/** Presses Tab until the element with this accessible name has the focus, as somebody without a mouse would. */
export async function tabTo(page, name, most = 150) {
  for (let i = 0; i < most; i += 1) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate(
      (wanted) => {
        const e = document.activeElement;
        if (!e || e === document.body) return false;
        const label = e.labels?.length ? [...e.labels].map((l) => l.innerText).join(" ") : (e.innerText ?? "");
        return `${label} ${e.getAttribute("aria-label") ?? ""}`.replaceAll("\u00a0", " ").includes(wanted);
      },
      name,
    );
    if (found) return;
  }
  assert.fail(`« ${name} » cannot be reached with the Tab key on ${page.url()}`);
}

/** Takes one of a list of radio buttons, as the keyboard does: Tab to the list, then arrows to the choice. */
export async function arrowTo(page, name, most = 30) {
  const choice = page.getByRole("radio", { name });
  const list = await choice.getAttribute("name");
  const here = () => page.evaluate((wanted) => document.activeElement?.type === "radio" && document.activeElement.name === wanted, list);
  for (let i = 0; i < 150 && !(await here()); i += 1) await page.keyboard.press("Tab");
  assert.ok(await here(), `the choices of « ${name} » cannot be reached with the Tab key on ${page.url()}`);
  await page.keyboard.press("Space");
  for (let i = 0; i < most && !(await choice.isChecked()); i += 1) await page.keyboard.press("ArrowDown");
  assert.ok(await choice.isChecked(), `« ${name} » cannot be taken with the arrows on ${page.url()}`);
}

/** The code of an authenticator application at this moment (RFC 6238). */
export function totp(secret, at) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac("sha1", key).update(step).digest();
  const offset = hash[19] & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

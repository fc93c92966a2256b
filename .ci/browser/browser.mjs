// What the tests of pages share: a browser, pages of which every fault is noted, steps that are named when they fail, axe-core's check.
// Called as node TEST.mjs URL OUT; screenshots go to OUT.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.WINNOW_NODE, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const out = process.argv[3];
const patience = 300_000; // ms. What is waited for is a state, however long a busy machine takes; what takes longer than this hangs

export const url = process.argv[2];
export const browser = await chromium.launch({ executablePath: process.env.WINNOW_BROWSER, args: ["--no-sandbox"], timeout: patience });
export const faults = [];

// open makes a page. At url and at also it may ask; console errors that match expected are no faults.
export async function open(options, { also = url, expected } = {}) {
  const page = await blank(options);
  page.on("pageerror", (e) => faults.push(String(e)));
  page.on("console", (m) => m.type() === "error" && !expected?.test(m.text()) && faults.push(m.text()));
  page.on("request", (r) => ![url, also, "data:"].some((a) => r.url().startsWith(a)) && faults.push(`outside: ${r.url()}`));
  return page;
}

export async function blank(options) { // a page that nobody listens to
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(patience);
  return context.newPage();
}

export function want(ok, what) {
  if (!ok) throw new Error(what);
}

// step does a part of a test; what fails in it is told with its name and with what the page shows.
export async function step(page, name, work) {
  try {
    return await work();
  } catch (e) {
    throw new Error(`step "${name}": ${e.message}\n${await shows(page, name)}`, { cause: e });
  }
}

async function shows(page, name) { // never waits for long: the page may be what hangs
  const look = Promise.all([
    page.evaluate(() => ["body", "#status", "[aria-busy]"].map((s) => [...document.querySelectorAll(s)].map((el) => el.getAttribute("aria-busy") ?? el.innerText.slice(0, 1500)).join(" ")).join("\n")),
    page.screenshot({ path: join(out, `failed ${name.replace(/\W+/g, "-")}.png`), timeout: 20_000 }),
  ]).then(([text]) => `at ${page.url()}:\n${text}`, (e) => `the page cannot be looked at: ${e.message}`);
  return Promise.race([look, new Promise((done) => setTimeout(done, 30_000, "the page does not answer"))]);
}

export async function check(page, name) { // what axe calls serious or critical, and text that leaves the window sideways
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((a) => a.finished))); // colours on their way are not judged
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await window.axe.run()).violations.filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 120)}`));
  faults.push(...found.map((f) => `${name}: ${f}`));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) faults.push(`${name}: ${wide} pixels too wide`);
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
}

// What the tests of pages share: a browser, pages of which every fault is noted, axe-core's check. Called as node TEST.mjs URL OUT; screenshots
// go to OUT.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.WINNOW_NODE, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const out = process.argv[3];

export const url = process.argv[2];
export const browser = await chromium.launch({ executablePath: process.env.WINNOW_BROWSER, args: ["--no-sandbox"] });
export const faults = [];

export async function open(options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(60_000); // what is waited for is a state; a busy machine takes its time
  const page = await context.newPage();
  page.on("pageerror", (e) => faults.push(String(e)));
  page.on("console", (m) => m.type() === "error" && faults.push(m.text()));
  page.on("request", (r) => !r.url().startsWith(url) && !r.url().startsWith("data:") && faults.push(`outside: ${r.url()}`));
  return page;
}

export function want(ok, what) {
  if (!ok) throw new Error(what);
}

export async function check(page, name) { // what axe calls serious or critical, and text that leaves the window sideways
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await window.axe.run()).violations.filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 120)}`));
  faults.push(...found.map((f) => `${name}: ${f}`));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) faults.push(`${name}: ${wide} pixels too wide`);
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
}

// Drives the tuning page in a real browser: node tune.mjs URL OUT. Prints one JSON object: what the page promised, the
// path of the recipe that it saved, and what axe-core found. Screenshots go to OUT.
import { browser, check, faults, open, step, url, want } from "./browser.mjs";

const number = async (page, id) => Number((await page.textContent(id)).replace(/\D/g, ""));

async function work() { // move a slider, see the count change, open a flipped document, label it, save
  const page = await open({ colorScheme: "light", locale: "en-US" });
  let kept;
  await step(page, "tune: move a slider", async () => {
    await page.goto(`${url}?rule=gopher.words&ui=en`);
    const before = await number(page, "#kept");
    const slider = page.locator('input[type=range][data-for="b.gopher.words.min"]');
    await slider.focus();
    for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => { // the page shows what the last value makes, and nothing is on its way
      const name = "b.gopher.words.min", value = document.querySelector(`input[name="${name}"]`).value;
      return new URLSearchParams(location.search).get(name) === value && document.querySelector(".flip") && !document.querySelector(".busy");
    });
    kept = await number(page, "#kept");
    want(kept < before, `raising the least number of words keeps ${kept} of ${before}`);
    await check(page, "page-light-en");
  });
  await step(page, "tune: label by key", async () => {
    await page.locator(".flip").first().focus();
    await page.keyboard.press("b");
    await page.waitForFunction(() => document.querySelector(".flip .tag") && !document.querySelector(".busy"));
    await page.keyboard.press("u");
    await page.waitForFunction(() => !document.querySelector(".flip .tag") && !document.querySelector(".busy"));
  });
  await step(page, "tune: open a document", async () => {
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/doc\?/);
    await check(page, "doc-light-en");
  });
  await step(page, "tune: label it and go back", async () => {
    await page.locator("button[value=bad]").click();
    await page.waitForSelector(".tag");
    await page.locator("#back").click();
    await page.waitForSelector("#precision");
    want((await page.textContent("#precision")).includes("100%"), "the label does not count");
    want((await number(page, "#kept")) === kept, "the way back lost the bound");
  });
  return step(page, "tune: save", async () => {
    await page.locator("#save button").click();
    await page.waitForSelector("#promise");
    await check(page, "saved-light-en");
    return { kept, promise: await number(page, "#promise"), path: await page.textContent("#path"), query: new URL(await page.locator("header a").getAttribute("href"), url).search };
  });
}

async function views(query) {
  for (const [name, options, ui] of [
    ["page-dark-zh", { colorScheme: "dark", locale: "zh-CN" }, "zh"],
    ["page-dark-en-360", { colorScheme: "dark", viewport: { width: 360, height: 740 } }, "en"],
    ["page-light-zh-360", { colorScheme: "light", viewport: { width: 360, height: 740 } }, "zh"],
    ["page-light-zh-320", { colorScheme: "light", viewport: { width: 320, height: 640 }, reducedMotion: "reduce" }, "zh"],
  ]) {
    const page = await open(options);
    await step(page, `tune: ${name}`, async () => {
      await page.goto(url + query.replace(/ui=\w+/, "ui=" + ui));
      await page.locator("#chart summary").click();
      await check(page, name);
      await page.goto(url + (await page.locator(".flip").first().getAttribute("data-href")).slice(1));
      await check(page, name.replace("page", "doc"));
    });
  }
}

async function plain() { // without scripts, by the form's button
  const page = await open({ javaScriptEnabled: false });
  const leave = (selector) => Promise.all([page.waitForEvent("load"), page.locator(selector).first().click()]);
  await step(page, "tune: a bound without scripts", async () => {
    await page.goto(`${url}?rule=gopher.words&ui=en`);
    const before = await number(page, "#kept");
    await page.fill('input[name="b.gopher.words.min"]', "300");
    await leave(".bounds button");
    want((await number(page, "#kept")) < before, "the form changes nothing without scripts");
  });
  await step(page, "tune: a label without scripts", async () => {
    await leave(".flip button[value=good]");
    want((await page.textContent("#precision")).includes("%"), "no label without scripts");
  });
}

try {
  const done = await work();
  await views(done.query);
  await plain();
  console.log(JSON.stringify({ ...done, faults }));
} finally {
  await browser.close();
}

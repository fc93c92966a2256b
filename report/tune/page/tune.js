// Keeps number and slider together, asks for the page anew while a bound moves, and labels by key. Without it the page
// works by its buttons.
"use strict";
const form = document.getElementById("controls");
const range = (input) => document.querySelector(`input[type=range][data-for="${CSS.escape(input.name)}"]`);
const number = (slider) => document.querySelector(`input[name="${CSS.escape(slider.dataset.for)}"]`);

function scale() {
  const d = document.querySelector(".bounds").dataset;
  const lo = +d.lo, hi = +d.hi, bend = +d.bend, whole = d.whole === "true";
  return {
    at: (v) => 1000 * Math.min(1, Math.max(0, bend ? Math.log1p((v - lo) / bend) / Math.log1p((hi - lo) / bend) : (v - lo) / (hi - lo))),
    value(at) {
      const t = at / 1000, v = bend ? lo + bend * Math.expm1(t * Math.log1p((hi - lo) / bend)) : lo + t * (hi - lo);
      return whole ? Math.round(v) : Number(v.toPrecision(3));
    },
  };
}

let waiting = null, asked = 0;
function query() {
  const q = new URLSearchParams();
  for (const [k, v] of new FormData(form)) if (v !== "" || k.startsWith("b.")) q.set(k, v);
  return q.toString();
}

// refresh replaces what depends on the bounds by what the server makes of them. push leaves an entry for the back button.
async function refresh(push) {
  const mine = ++asked, url = "/?" + query();
  document.getElementById("totals").classList.add("busy");
  const answer = await fetch(url);
  if (mine !== asked) return;
  if (!answer.ok) { location.href = url; return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asked) return;
  const focus = document.activeElement?.closest?.(".flip")?.dataset.doc, open = document.querySelector("#chart details")?.open;
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (!now) continue;
    now.querySelectorAll("details").forEach((d) => { d.open = open; });
    if (old.tagName === "A") old.href = now.getAttribute("href");
    else old.replaceChildren(...now.childNodes);
  }
  document.getElementById("totals").classList.remove("busy");
  if (focus) document.querySelector(`.flip[data-doc="${focus}"]`)?.focus();
  if (push) history.pushState(null, "", url); else history.replaceState(null, "", url);
}

function soon(push) { // at most twice a second while a slider moves
  clearTimeout(waiting);
  document.getElementById("totals").classList.add("busy"); // what is shown is of other bounds already
  waiting = setTimeout(() => refresh(push), push ? 0 : 250);
}

function follow(input) { // slider after number
  const slider = range(input);
  if (!slider) return;
  slider.value = input.value === "" ? (input.dataset.side === "min" ? 0 : 1000) : scale().at(+input.value);
  slider.setAttribute("aria-valuetext", input.value === "" ? input.placeholder : input.value);
}

async function label(item, what) {
  const f = item.querySelector("form.label"), body = new URLSearchParams(new FormData(f));
  body.set("label", what);
  const answer = await fetch("/label", { method: "POST", body });
  if (!answer.ok) return;
  if (!form) { location.reload(); return; }
  item.focus();
  refresh(false);
}

if (form) {
  document.querySelectorAll(".bounds input[type=range]").forEach((s) => {
    s.hidden = false;
    follow(number(s));
    s.addEventListener("input", () => { const n = number(s); n.value = scale().value(+s.value); s.setAttribute("aria-valuetext", n.value); soon(false); });
    s.addEventListener("change", () => soon(true));
    number(s).addEventListener("input", (e) => { follow(e.target); soon(false); });
    number(s).addEventListener("change", () => soon(true));
  });
  // Another slice or language changes scale and inputs: the whole page is asked for.
  document.querySelectorAll("select[form=controls], #controls select, #controls input[name=domain]").forEach((s) => s.addEventListener("change", () => form.requestSubmit()));
  addEventListener("popstate", () => location.reload());
}

document.addEventListener("submit", (e) => {
  if (!e.target.matches("form.label")) return;
  e.preventDefault();
  label(e.target.closest(".flip"), e.submitter?.value ?? "");
});

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches("input, select, textarea, button, a, summary")) return;
  const all = [...document.querySelectorAll(".flip")], at = all.indexOf(document.activeElement?.closest(".flip"));
  const go = (i) => all[Math.min(Math.max(i, 0), all.length - 1)]?.focus();
  const here = all[Math.max(at, all.length === 1 ? 0 : at)];
  switch (e.key) {
    case "j": go(at + 1); break;
    case "k": go(at - 1); break;
    case "g": if (here) label(here, "good"); break;
    case "b": if (here) label(here, "bad"); break;
    case "u": if (here) label(here, ""); break;
    case "Enter": if (here?.dataset.href) location.href = here.dataset.href; break;
    default: return;
  }
  e.preventDefault();
});

// A conversation with the served model, and what is thought of its answers. The conversation lies in the tab's own storage, so that the
// language can be changed within it; judgements go to the server as they are made. All text of people and models is set as text.
"use strict";
const $ = (id) => document.getElementById(id);
const say = $("texts").dataset;
const key = "winnow-chat:" + document.body.dataset.model;

// turns: {role: "user", content} or {id, prompt, answers: [{content, sampling, done, thumb, was}], pick, edited}. prompt is what the model
// read; an answer's was is what it said before it was edited.
let state = { system: "", turns: [] };
let running = null; // AbortController of the answers under way

function keep() {
  state.system = $("system").value;
  sessionStorage.setItem(key, JSON.stringify(state));
}

const used = (turn) => turn.answers[turn.pick ?? 0]; // the answer with which the conversation goes on

function messages(until) {
  const out = $("system").value.trim() === "" ? [] : [{ role: "system", content: $("system").value }];
  for (const t of until) {
    if (t.role === "user") out.push({ role: "user", content: t.content });
    else if (!used(t).error) out.push({ role: "assistant", content: used(t).content });
  }
  return out;
}

const clone = (id) => $(id).content.firstElementChild.cloneNode(true);
const status = (text, bad = false) => { $("status").textContent = text; $("status").classList.toggle("bad", bad); };
const atEnd = () => scrollY + innerHeight > document.documentElement.scrollHeight - 80;
const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);
function following(change) { // the end stays in sight; who has scrolled up to read is left there
  const follow = atEnd();
  change();
  if (follow) toEnd();
}

function draw(turn) { // makes a turn's element
  $("start").hidden = true;
  if (turn.role === "user") {
    const el = clone("turn-user");
    el.querySelector("h3").textContent = say.you;
    el.querySelector(".text").textContent = turn.content;
    $("turns").append(el);
    return;
  }
  const el = clone("turn-model");
  turn.answers.forEach(() => el.querySelector(".answers").append(clone("one")));
  el.addEventListener("click", (e) => { const b = e.target.closest("button"); if (b) act(turn, el, b); });
  $("turns").append(el);
  show(turn, el);
}

function show(turn, el) { // brings a turn's element up to the turn
  const two = turn.answers.length > 1, grid = el.querySelector(".answers");
  while (grid.children.length < turn.answers.length) grid.append(clone("one"));
  grid.classList.toggle("two", two);
  turn.answers.forEach((a, i) => {
    const one = grid.children[i], note = one.querySelector(".note"), open = one.querySelector(".editor");
    one.querySelector("h3").textContent = two ? `${say.answer} ${"AB"[i]}` : say.model;
    const text = one.querySelector(".text");
    text.textContent = a.content;
    text.hidden = Boolean(a.done || a.error) && a.content.trim() === "";
    one.classList.toggle("chosen", two && turn.pick === i);
    const why = a.error ? `${say.failed}: ${a.error}` : a.done === "stopped" ? say.stopped : !a.done ? "" : a.was !== undefined ? say.edited
      : a.content.trim() === "" ? say.empty : a.done === "length" ? say.length : "";
    note.textContent = why;
    note.classList.toggle("bad", Boolean(a.error));
    const whole = a.done === "stop" || a.done === "length";
    one.querySelector(".judge").hidden = !(whole || a.error || a.done === "stopped") || Boolean(open);
    for (const b of one.querySelectorAll(".judge button")) {
      const what = b.dataset.act;
      if (what === "up" || what === "down") {
        b.setAttribute("aria-pressed", String(a.thumb === (what === "up")));
        b.disabled = !whole || a.was !== undefined || a.content.trim() === "";
      }
      if (what === "edit") b.disabled = !whole;
      if (what === "back") b.hidden = a.was === undefined;
      if (what === "again") b.hidden = two || a.was !== undefined;
    }
  });
  const choose = el.querySelector(".choose"), same = two && said(turn.answers[0]) === said(turn.answers[1]);
  choose.hidden = !two || turn.answers.some((a) => a.done !== "stop" && a.done !== "length");
  for (const i of [0, 1]) {
    const b = choose.querySelector(`[data-act="pick-${i}"]`);
    b.setAttribute("aria-pressed", String(turn.pick === i));
    b.disabled = same || (two && said(turn.answers[i]).trim() === "");
  }
  const note = choose.querySelector(".note");
  note.dataset.usual ??= note.textContent;
  note.textContent = same ? say.same : turn.pick === undefined ? note.dataset.usual : `${say.picked} ${"AB"[turn.pick]}`;
}

const said = (a) => a.was ?? a.content; // what the model itself said

async function judge(body) {
  let answer;
  try {
    answer = await fetch("/feedback", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    status(`${say.unkept}: ${say.gone}`, true);
    return false;
  }
  const got = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    status(`${say.unkept}: ${got.error?.message ?? answer.status}`, true);
    return false;
  }
  for (const name of ["thumbs", "pairs", "edits"]) $(name).textContent = got[name];
  status(body.undone ? say.undone : say.kept);
  return true;
}

async function act(turn, el, button) {
  const what = button.dataset.act, one = button.closest("article");
  const i = one ? [...one.parentElement.children].indexOf(one) : 0, a = turn.answers[i];
  const subject = `${turn.id}/${i}`, about = { prompt: turn.prompt, sampling: a.sampling };
  switch (what) {
    case "up": case "down": {
      const good = what === "up", undone = a.thumb === good;
      if (await judge({ kind: "thumb", subject, undone, ...about, completion: a.content, label: good })) a.thumb = undone ? undefined : good;
      break;
    }
    case "pick-0": case "pick-1": {
      const k = Number(what.at(-1)), better = turn.answers[k], worse = turn.answers[1 - k], undone = turn.pick === k;
      if (await judge({ kind: "pick", subject: turn.id, undone, prompt: turn.prompt, chosen: said(better), rejected: said(worse), sampling: better.sampling, rejected_sampling: worse.sampling })) turn.pick = undone ? undefined : k;
      break;
    }
    case "edit": edit(turn, el, one, a, subject); return;
    case "back":
      if (await judge({ kind: "edit", subject, undone: true })) { a.content = a.was; delete a.was; }
      break;
    case "again":
      if (running) return;
      turn.answers.push({ content: "" });
      show(turn, el);
      await answer(turn, el, [1]);
      break;
    default: return;
  }
  show(turn, el);
  if (button.hidden || button.closest("[hidden]")) (one ?? el).querySelector('[data-act="edit"]')?.focus();
  keep();
}

function edit(turn, el, one, a, subject) {
  if (one.querySelector(".editor")) return;
  const box = clone("editor"), text = box.querySelector("textarea");
  text.value = a.content;
  one.append(box);
  show(turn, el);
  text.focus();
  box.scrollIntoView({ block: "nearest" });
  const close = () => { box.remove(); show(turn, el); one.querySelector('[data-act="edit"]').focus(); };
  const save = async () => {
    if (text.value === said(a)) {
      close();
      if (a.was !== undefined) one.querySelector('[data-act="back"]').click();
      return;
    }
    if (!await judge({ kind: "edit", subject, prompt: turn.prompt, completion: text.value, rejected: said(a), sampling: a.sampling })) return;
    a.was = said(a);
    a.content = text.value;
    close();
    keep();
  };
  box.addEventListener("click", (e) => {
    e.stopPropagation();
    const what = e.target.closest("button")?.dataset.act;
    if (what === "save") save();
    if (what === "cancel") close();
  });
  text.addEventListener("keydown", (e) => {
    if (e.isComposing) return;
    if (e.key === "Escape") { e.stopPropagation(); close(); }
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); save(); }
  });
}

const number = (id, otherwise) => $(id).value.trim() === "" || Number.isNaN(Number($(id).value)) ? otherwise : Number($(id).value);

function draws(i) { // how answer i is drawn; the seed is told, so that the same can be drawn again
  const temperature = number("temperature", 0.8);
  return { temperature: i === 1 ? number("temperature-b", temperature) : temperature, top_p: number("top-p", 0.95), seed: crypto.getRandomValues(new Uint32Array(1))[0], max_tokens: number("most", 256) };
}

// stream asks for one answer and adds its pieces to a.content as they come.
async function stream(turn, a, signal, piece) {
  const answer = await fetch("/v1/chat/completions", {
    method: "POST", signal, headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: turn.prompt, stream: true, ...a.sampling }),
  });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error?.message ?? String(answer.status));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", finish = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      if (data === "[DONE]") continue;
      const got = JSON.parse(data);
      if (got.error) throw new Error(got.error.message);
      const choice = got.choices[0];
      if (!choice) continue;
      a.content += choice.delta.content ?? "";
      finish = choice.finish_reason ?? finish;
      piece();
    }
  }
  if (finish === "") throw new Error(say.gone);
  a.sampling.finish_reason = finish;
  a.done = finish === "length" ? "length" : "stop";
}

async function answer(turn, el, which) {
  running = new AbortController();
  $("send").disabled = true;
  $("stop").hidden = false;
  el.setAttribute("aria-busy", "true"); // a screen reader tells the whole answer when it is there
  status(say.writing);
  await Promise.all(which.map(async (i) => {
    const a = turn.answers[i], text = el.querySelectorAll("article .text")[i];
    let frame = 0; // once a frame is enough: a fast model would otherwise leave the browser no time for clicks
    a.sampling = draws(i);
    try {
      await stream(turn, a, running.signal, () => {
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          following(() => { text.textContent = a.content; });
        });
      });
    } catch (e) {
      if (e.name === "AbortError") a.done = "stopped";
      else a.error = e instanceof TypeError ? say.gone : e.message; // fetch's own words differ by browser
    }
    cancelAnimationFrame(frame);
  }));
  running = null;
  $("send").disabled = false;
  $("stop").hidden = true;
  following(() => show(turn, el));
  el.setAttribute("aria-busy", "false");
  const failed = turn.answers.some((a) => a.error);
  const halted = turn.answers.some((a) => a.done === "stopped");
  status(failed ? say.failed : halted ? say.halted : say.done, failed);
  keep();
}

async function send() {
  const text = $("text").value;
  if (running || text.trim() === "") return;
  $("text").value = "";
  const asked = { role: "user", content: text };
  state.turns.push(asked);
  draw(asked);
  const turn = { id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, prompt: messages(state.turns), answers: [{ content: "" }] };
  if ($("two").checked) turn.answers.push({ content: "" });
  state.turns.push(turn);
  draw(turn);
  toEnd();
  await answer(turn, $("turns").lastElementChild, turn.answers.map((_, i) => i));
}

$("write").addEventListener("submit", (e) => { e.preventDefault(); send(); });
$("text").addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing && e.keyCode !== 229) { e.preventDefault(); send(); }
});
document.addEventListener("keydown", (e) => { if (e.key === "Escape") running?.abort(); });
$("stop").addEventListener("click", () => { running?.abort(); $("text").focus(); });
$("fresh").addEventListener("click", () => {
  running?.abort();
  state = { system: "", turns: [] };
  $("turns").replaceChildren();
  $("start").hidden = false;
  keep();
  status("");
  $("text").focus();
});
$("system").addEventListener("change", keep);

try {
  state = JSON.parse(sessionStorage.getItem(key)) ?? state;
} catch { /* of an earlier version: begin anew */ }
$("system").value = state.system;
for (const t of state.turns) {
  for (const a of t.answers ?? []) a.done ??= "stopped"; // the page was left while it came
  draw(t);
}
$("text").focus();

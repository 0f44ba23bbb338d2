// Sends what is drawn after each stroke, and shows what was read.

import { call, newId, sentence } from "./api.js";
import { Area } from "./area.js";
import { Outbox } from "./outbox.js";

const PEN = 45; // units, as of the area
const NOTHING = "Nothing is drawn yet.";

const at = (id) => document.getElementById(id);
const area = new Area(at("area"), PEN);
const outbox = new Outbox("demo");
let asked = 0; // the newest request: answers to older ones are late
let sureFrom = 1;
let rules = new Map(); // by which a verdict is found, of each reader
let id = newId(); // of this drawing, if it is kept

const percent = (share) => `${Math.floor(100 * share)}\u00a0%`;

async function read() {
  const turn = ++asked;
  const empty = area.strokes.length === 0;
  at("invite").hidden = !empty;
  for (const tool of ["undo", "clear", "keep-it"]) at(tool).disabled = empty;
  if (empty) return show({ text: "", digits: [], fault: NOTHING, confidence: 0, verdict: "" });
  const expected = at("expected").validity.valid ? at("expected").value : "";
  const request = { strokes: area.strokes, pen: PEN, model: at("model").value, expected };
  try {
    const reading = await call("api/read", request);
    if (turn === asked) show(reading);
  } catch (error) {
    if (turn === asked) at("sure").textContent = sentence(error);
  }
}

function show({ text, confidence, digits, fault, verdict, picture, fit_ms, read_ms }) {
  at("value").textContent = text || "–";
  at("value").classList.toggle("unsure", confidence < sureFrom);
  at("sure").textContent = fault ? fault : `${percent(confidence)} sure`;
  at("digits").replaceChildren(...digits.map(row));
  at("verdict").textContent = verdict;
  at("verdict").dataset.is = verdict;
  at("seen").hidden = !picture;
  if (!picture) at("seen").removeAttribute("src");
  else at("seen").src = picture;
  at("seen").alt = text ? `${text} as the reader sees it` : "The drawing as the reader sees it";
  at("as-seen").textContent = picture
    ? "As the reader sees it, 128 by 32 pixels"
    : "The reader will see it here, 128 by 32 pixels.";
  at("time").textContent = picture
    ? `fitted in ${fit_ms.toFixed(2)} ms, read in ${read_ms.toFixed(2)} ms`
    : "";
}

function row({ digit, confidence }) {
  const item = document.createElement("li");
  const [name, bar, share] = ["b", "span", "span"].map((tag) => document.createElement(tag));
  name.textContent = digit;
  bar.className = "bar";
  bar.style.setProperty("--share", `${100 * confidence}%`);
  share.textContent = percent(confidence);
  item.classList.toggle("unsure", confidence < sureFrom);
  item.append(name, bar, share);
  return item;
}

function keep(event) {
  event.preventDefault();
  if (!area.strokes.length) return;
  const label = at("label").value;
  outbox.put(id, "api/keep", { id, label, pen: PEN, strokes: area.strokes });
  at("keep").reset();
}

function tellRule() {
  at("rule").textContent = rules.get(at("model").value) || "";
}

function clear() {
  id = newId();
  area.clear();
}

function key(event) {
  if (event.target.closest("input, select")) return;
  const control = event.ctrlKey || event.metaKey;
  if (control ? event.key === "z" : event.key === "Backspace") area.undo();
  else if (event.key === "Delete" && !control) clear();
  else return;
  event.preventDefault();
}

async function start() {
  try {
    const { models, sure_from } = await call("api/models");
    sureFrom = sure_from;
    const option = ({ name, kilobytes }) => new Option(`${name}, ${kilobytes} KB`, name);
    at("model").replaceChildren(...models.map(option));
    rules = new Map(models.map(({ name, rule }) => [name, rule]));
    tellRule();
  } catch (error) {
    at("sure").textContent = sentence(error);
  }
}

area.addEventListener("end", read);
area.addEventListener("change", read);
at("undo").addEventListener("click", () => area.undo());
at("clear").addEventListener("click", clear);
at("model").addEventListener("change", () => {
  tellRule();
  read();
});
at("expected").addEventListener("input", read);
at("keep").addEventListener("submit", keep);
document.addEventListener("keydown", key);
outbox.addEventListener("change", () => {
  const trouble = outbox.trouble || outbox.refusal;
  if (trouble) at("kept").textContent = trouble;
});
outbox.addEventListener("sent", ({ detail }) => {
  at("kept").textContent = `Kept as ${detail.answer.kept}.`;
});
start();

// Asks for digit after digit. What is drawn is kept in this browser at once, and on its way to the
// server as soon as the digit is done.

import { call, newId, sentence } from "./api.js";
import { Area } from "./area.js";
import { Outbox } from "./outbox.js";

const PEN = 60; // units, as of the area
const SMALL = 120; // units: less is a slip of the pen
const REMEMBERED = 10; // digits that can be taken back
const NAMES = "zero one two three four five six seven eight nine".split(" ");
const SESSION = "draw.session";
const PAUSE = "draw.pause";

const at = (id) => document.getElementById(id);
const area = new Area(at("area"), PEN);
const outbox = new Outbox("draw");
// Whoever draws: name, writer (as the server names her), labels (asked for in this order), place
// (in labels), id and strokes (of the digit being drawn), done (the last digits).
let session = JSON.parse(localStorage.getItem(SESSION) ?? "null");
let timer = null;

function remember() {
  try {
    if (session) localStorage.setItem(SESSION, JSON.stringify(session));
    else localStorage.removeItem(SESSION);
  } catch {
    say("hint", "This browser keeps nothing: do not close the page before all is saved.");
  }
}

function say(id, text) {
  at(id).textContent = text;
}

function shuffled(rounds) {
  const order = [];
  for (let round = 0; round < rounds; round++) {
    const digits = [...NAMES.keys()];
    while (digits.length) order.push(...digits.splice(Math.random() * digits.length, 1));
  }
  return order;
}

// The screens.

function show() {
  const over = session && session.place >= session.labels.length;
  const screen = !session ? "hello" : over ? "thanks" : "draw";
  for (const id of ["hello", "draw", "thanks"]) at(id).hidden = id !== screen;
  if (screen === "hello") at("name").focus();
  if (screen === "draw") showDigit();
  if (screen === "thanks") {
    say("thanked", session.name);
    say("count", session.drawn === 1 ? "1 digit" : `${session.drawn} digits`);
    at("thanks").querySelector("h1").focus();
  }
}

function showDigit() {
  const label = session.labels[session.place];
  say("writer", session.name);
  const ask = label === 8 ? "Draw an" : "Draw a";
  say("ask", ask);
  say("digit", label);
  at("area").setAttribute("aria-label", `Drawing area. ${ask} ${NAMES[label]}`);
  at("bar").max = session.labels.length;
  at("bar").value = session.place;
  say("done", `${session.place} of ${session.labels.length}`);
  area.set(session.strokes);
}

function showTools() {
  const empty = area.strokes.length === 0;
  at("undo").disabled = empty && !session?.done.length;
  at("next").disabled = empty;
}

function showStatus() {
  const { waiting, trouble, refusal } = outbox;
  const count = waiting === 1 ? "1 drawing waits." : `${waiting} drawings wait.`;
  const good = session?.drawn ? "All is saved." : "";
  const state = waiting ? count : trouble ? "" : good;
  say("status", [state, trouble, refusal].filter(Boolean).join(" "));
  at("status").classList.toggle("trouble", Boolean(trouble || refusal));
}

// One digit.

function begin() {
  stopTimer();
  say("hint", "");
}

function end() {
  keepStrokes();
  startTimer();
}

function keepStrokes() {
  session.strokes = area.strokes;
  remember();
  showTools();
}

function accept() {
  stopTimer();
  if (!area.strokes.length || area.drawing) return;
  if (area.extent < SMALL) {
    area.clear();
    keepStrokes();
    say("hint", "That is very small. Please draw larger.");
    return;
  }
  const { id, name, strokes } = session;
  const label = String(session.labels[session.place]);
  outbox.put(id, "api/drawing", { id, label, writer: name, pen: PEN, strokes });
  session.done = [...session.done, { id, strokes, place: session.place }].slice(-REMEMBERED);
  session.drawn += 1;
  turnTo(session.place + 1);
}

function undo() {
  stopTimer();
  if (area.strokes.length) {
    area.undo();
    keepStrokes();
    return;
  }
  const last = session.done.pop();
  if (!last) return;
  outbox.put(last.id, "api/remove", { id: last.id });
  session.drawn -= 1;
  turnTo(last.place, last.id, last.strokes);
}

function skip() {
  turnTo(session.place + 1);
}

function turnTo(place, id = newId(), strokes = []) {
  stopTimer();
  say("hint", "");
  Object.assign(session, { place, id, strokes });
  remember();
  show();
  showStatus();
}

function startTimer() {
  const pause = at("pause").value;
  if (!pause) return;
  at("timer").style.setProperty("--pause", `${pause}ms`);
  at("timer").classList.add("runs");
  timer = setTimeout(accept, pause);
}

function stopTimer() {
  clearTimeout(timer);
  at("timer").classList.remove("runs");
}

// One person.

async function start(event) {
  event.preventDefault();
  const name = at("name").value.trim();
  try {
    const { writer, digits, rounds } = await call("api/writer", { name });
    session = { name, writer, labels: shuffled(rounds), rounds, done: [], drawn: 0 };
    turnTo(0);
    if (digits) {
      const count = digits === 1 ? "There is 1 digit" : `There are ${digits} digits`;
      say("hint", `${count} by ${writer} already. If that was not you, take another name.`);
    }
    say("name-trouble", "");
    at("area").focus({ preventScroll: true });
  } catch (error) {
    say("name-trouble", sentence(error));
  }
}

function more() {
  session.labels = shuffled(session.rounds);
  session.done = [];
  turnTo(0);
}

function stop() {
  accept();
  turnTo(session.labels.length);
}

function leave() {
  session = null;
  at("name").value = "";
  remember();
  show();
  showStatus();
}

function key(event) {
  if (at("draw").hidden || event.target.closest("select, input")) return;
  const onButton = event.target.closest("button") && event.key === " ";
  if (event.ctrlKey || event.metaKey ? event.key === "z" : event.key === "Backspace") undo();
  else if (event.ctrlKey || event.metaKey || event.altKey) return;
  else if (event.key === "s" || event.key === "S") skip();
  else if (event.key === " " && !onButton) accept();
  else return;
  event.preventDefault();
}

area.addEventListener("begin", begin);
area.addEventListener("end", end);
area.addEventListener("change", showTools);
outbox.addEventListener("change", showStatus);
at("who").addEventListener("submit", start);
at("undo").addEventListener("click", undo);
at("skip").addEventListener("click", skip);
at("next").addEventListener("click", accept);
at("stop").addEventListener("click", stop);
at("more").addEventListener("click", more);
at("other").addEventListener("click", leave);
at("pause").value = localStorage.getItem(PAUSE) ?? "1000";
at("pause").addEventListener("change", () => localStorage.setItem(PAUSE, at("pause").value));
document.addEventListener("keydown", key);
show();
showStatus();

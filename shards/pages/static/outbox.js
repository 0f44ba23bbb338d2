// What is to be sent, kept in this browser until the server has it. A page that dies, a server that
// dies and a network that is away lose nothing: what waits is sent when all are back.

import { call, Refusal, sentence } from "./api.js";

const FIRST_WAIT = 500; // ms
const LAST_WAIT = 8_000;
// Answers that will not change when the same is sent again.
const FINAL = [400, 404, 405, 413, 415];

// Fires "change": see `waiting`, `trouble` (why it waits) and `refusal` (what will never be sent);
// and "sent" with the key and the server's answer.
export class Outbox extends EventTarget {
  #prefix;
  #running = false;
  #wake = () => {};
  trouble = "";
  refusal = "";

  constructor(name) {
    super();
    this.#prefix = `${name}.outbox.`;
    addEventListener("online", () => this.#wake());
    setTimeout(() => this.#run());
  }

  // Keeps a request; one that waits under the same key is replaced.
  put(key, path, body) {
    const entry = JSON.stringify({ time: Date.now(), path, body });
    try {
      localStorage.setItem(this.#prefix + key, entry);
    } catch {
      this.#tell("This browser has no room left for drawings: wait until all are saved.");
      throw new Error("localStorage is full");
    }
    this.#tell(this.trouble);
    this.#wake();
    this.#run();
  }

  get waiting() {
    return this.#keys().length;
  }

  #keys() {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
    const time = (key) => JSON.parse(localStorage.getItem(key)).time;
    return keys.sort((one, other) => time(one) - time(other));
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    try {
      let wait = FIRST_WAIT;
      for (let key; (key = this.#keys()[0]); ) {
        if (await this.#send(key)) wait = FIRST_WAIT;
        else {
          await this.#pause(wait);
          wait = Math.min(2 * wait, LAST_WAIT);
        }
      }
    } finally {
      this.#running = false;
    }
  }

  // Whether a request needs no more sending.
  async #send(key) {
    const entry = localStorage.getItem(key);
    const { path, body } = JSON.parse(entry);
    try {
      const answer = await call(path, body);
      this.#done(key, entry);
      this.#tell("");
      const detail = { key: key.slice(this.#prefix.length), path, answer };
      this.dispatchEvent(new CustomEvent("sent", { detail }));
      return true;
    } catch (error) {
      if (!(error instanceof Refusal && FINAL.includes(error.status))) {
        this.#tell(sentence(error));
        return false;
      }
      localStorage.setItem(`refused.${key}`, entry);
      this.#done(key, entry);
      this.refusal = `A drawing was refused and stays in this browser: ${error.message}.`;
      this.#tell("");
      return true;
    }
  }

  #pause(wait) {
    return new Promise((resume) => {
      this.#wake = resume;
      setTimeout(resume, wait);
    });
  }

  #done(key, entry) {
    // It may have been replaced while it was on its way.
    if (localStorage.getItem(key) === entry) localStorage.removeItem(key);
  }

  #tell(trouble) {
    this.trouble = trouble;
    this.dispatchEvent(new Event("change"));
  }
}

// Requests to the page's own server. The token stands in the page's address, behind the #.

const TIMEOUT = 10_000; // ms

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

// Posts an object, or gets where there is none, and returns the answer; throws Refusal with the
// server's sentence, or what fetch throws where no server answers.
export async function call(path, body) {
  const response = await fetch(path, {
    method: body ? "POST" : "GET",
    headers: { "Content-Type": "application/json", "X-Token": location.hash.slice(1) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer.error ?? response.statusText);
  return answer;
}

// 32 hex digits. crypto.randomUUID is missing where a page comes from another machine by http.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What to tell a person of an error that `call` threw.
export const sentence = (error) =>
  error instanceof Refusal ? error.message : "The server does not answer.";

addEventListener("hashchange", () => location.reload());

// Keeps the page and its models in the browser, so that it opens without a network.
// Change VERSION whenever a file changes.
const VERSION = "1";
const MINE = `reader ${self.registration.scope} `; // an origin's caches are shared by all its pages
const NAME = MINE + VERSION;
const RUNTIME = "node_modules/onnxruntime-web/dist/";
const FILES = [
  "./", "fit.js", "reader.js", "reader.onnx",
  RUNTIME + "ort.wasm.min.mjs", RUNTIME + "ort-wasm-simd-threaded.mjs", RUNTIME + "ort-wasm-simd-threaded.wasm",
];

async function keep() {
  const cache = await caches.open(NAME);
  await cache.addAll(FILES);
  await cache.add("checker.onnx").catch(() => null); // where the kit has one
  for (const name of await caches.keys()) if (name.startsWith(MINE) && name !== NAME) await caches.delete(name);
}

async function find(request) {
  const kept = await (await caches.open(NAME)).match(request, { ignoreSearch: true });
  return kept ?? fetch(request).catch(() => new Response("", { status: 404 }));
}

self.oninstall = (event) => event.waitUntil(keep().then(() => self.skipWaiting()));
self.onactivate = (event) => event.waitUntil(self.clients.claim());
self.onfetch = (event) => event.request.method === "GET" && event.respondWith(find(event.request));

// Reads and checks in node what no person draws: node read.mjs KIT.
import { readFileSync } from "node:fs";

const kit = process.argv[2];
const { openChecker, openReader } = await import(`${kit}/reader.js`);
const file = (name) => readFileSync(`${kit}/${name}`);
const say = (...what) => console.log(JSON.stringify(what));
const outcome = (promise) => promise.catch((error) => `${error.name}: ${error.message}`);

const reader = await openReader(file("reader.onnx"));
const checker = await openChecker(file("checker.onnx"));
const blank = new Uint8Array(32 * 128);
say("blank canvas", await outcome(reader.readCanvas(blank)));
say("bad", await outcome(reader.read({ data: new Uint8Array(9), width: 3, height: 3 })));
for (const canvas of [undefined, new Uint8Array(4095), new Float32Array(4096).fill(NaN), Array(4096).fill(0)])
  say("bad", await outcome(reader.readCanvas(canvas)));
for (const answer of ["", "x7", "123456", "-1", "4.0", "４", 42, null, undefined, NaN, "7\n"])
  say("bad", await outcome(checker.checkCanvas(blank, answer)));
say("bad", await outcome(openReader(file("checker.onnx"))));
say("bad", await outcome(openChecker(file("reader.onnx"))));
say("bad", await outcome(openReader(new Uint8Array(100))));
const bytes = JSON.parse(readFileSync(0, "utf8"));
say("many", await outcome(reader.read({ ...bytes, data: new Uint8Array(bytes.data) })));

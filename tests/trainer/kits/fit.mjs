// Fits each drawing of a JSON file (see scripts/golden.py): node fit.mjs KIT DRAWINGS.
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";

const { fit } = await import(`${process.argv[2]}/fit.js`);
const drawings = JSON.parse(readFileSync(process.argv[3], "utf8")).map(({ width, height, pixels }) => (
  { data: new Uint8Array(inflateSync(Buffer.from(pixels, "base64"))), width, height }
));
const say = (...what) => console.log(JSON.stringify(what));
const outcome = (drawing) => {
  try {
    return Buffer.from(fit(drawing)).toString("base64");
  } catch (error) {
    return `${error.name} ${error.code}: ${error.message}`;
  }
};

for (const drawing of drawings) say("canvas", outcome(drawing));
const [{ data, width, height }] = drawings;
for (const bytes of [new Uint8ClampedArray(data), Float32Array.from(data, (value) => value / 255)])
  say("kind", outcome({ data: bytes, width, height }) === outcome(drawings[0]));
const bad = [
  undefined,
  {},
  { data: new Uint8Array(8), width: 3, height: 3 },
  { data: new Uint8Array(45), width: 3, height: 3 },
  { data: new Uint8Array(0), width: 0, height: 5 },
  { data: new Uint8Array(8), width: 0.5, height: 16 },
  { data: new Array(9).fill(0), width: 3, height: 3 },
  { data: new Float32Array(9).fill(NaN), width: 3, height: 3 },
  { data: new Float64Array(9).fill(1.5), width: 3, height: 3 },
  { data: new Uint8Array(9).fill(7), width: 3, height: 3 },
];
for (const drawing of bad) say("bad", outcome(drawing));

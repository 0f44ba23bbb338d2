// Fits each drawing of a JSON file (see scripts/golden.py): node fit.mjs DRAWINGS KIT.
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";

const { fit } = await import(`${process.argv[3]}/fit.js`);
for (const { width, height, pixels } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const data = new Uint8Array(inflateSync(Buffer.from(pixels, "base64")));
  try {
    console.log(Buffer.from(fit({ data, width, height })).toString("base64"));
  } catch (error) {
    console.log(`${error.name} ${error.code}: ${error.message}`);
  }
}

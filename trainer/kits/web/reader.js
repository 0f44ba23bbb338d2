// Reads numbers of 1 to 5 digits with reader.onnx, and checks answers with checker.onnx.
import * as ort from "onnxruntime-web/wasm";
import { fit, HEIGHT, WIDTH } from "./fit.js";

const MAX_DIGITS = 5;
const VERDICTS = { 1: "right", 0: "ask again", "-1": "wrong" };
ort.env.wasm.numThreads = 1; // one is enough, and needs no cross-origin isolation

/** Opens a reader.onnx: its address, or its bytes. Rejects for what is no reader. */
export async function openReader(model) {
  const session = await open(model, ["image"], "reading");

  /** Reads a canvas of 32 * 128 bytes, as fit() makes it. */
  async function readCanvas(canvas) {
    const [value, confidence, count, ...rest] = await run(session, { image: image(canvas) });
    const known = count <= MAX_DIGITS ? count : 0;
    return {
      text: rest.slice(0, known).join(""), // keeps leading zeros; "" unless 1 to 5 digits are seen
      value, // -1 unless 1 to 5 digits are seen
      confidence, // that the whole number is right, 0 to 1
      count, // of the digits that are seen
      digitConfidences: rest.slice(MAX_DIGITS, MAX_DIGITS + known),
    };
  }
  /** Reads any drawing that fit() takes. */
  const read = async (drawing) => readCanvas(fit(drawing));
  return { read, readCanvas };
}

/** Opens a checker.onnx: its address, or its bytes. Rejects for what is no checker. */
export async function openChecker(model) {
  const session = await open(model, ["image", "expected"], "answer");

  /** Says whether a canvas shows `answer`, 1 to 5 digits as text: "042" is not "42". */
  async function checkCanvas(canvas, answer) {
    if (typeof answer !== "string" || !/^[0-9]{1,5}$/.test(answer))
      throw new TypeError(`the expected answer must be text of 1 to 5 digits, not ${JSON.stringify(answer)}`);
    const digits = new Float32Array(MAX_DIGITS).fill(-1);
    digits.set([...answer].map(Number));
    const expected = new ort.Tensor("float32", digits, [1, MAX_DIGITS]);
    const inputs = { image: image(canvas), expected };
    const [verdict, probability, readingProbability, value] = await run(session, inputs);
    return { verdict: VERDICTS[verdict], probability, readingProbability, value };
  }
  /** Checks any drawing that fit() takes. */
  const check = async (drawing, answer) => checkCanvas(fit(drawing), answer);
  return { check, checkCanvas };
}

async function open(model, inputs, output) {
  const session = await ort.InferenceSession.create(model);
  const found = `${session.inputNames} to ${session.outputNames}`, wanted = `${inputs} to ${output}`;
  if (found !== wanted) throw new TypeError(`the model maps ${found}, not ${wanted}`);
  return session;
}

async function run(session, inputs) {
  const [output] = Object.values(await session.run(inputs));
  return [...output.data];
}

function image(canvas) {
  const bytes = canvas instanceof Uint8Array || canvas instanceof Uint8ClampedArray;
  if (!bytes || canvas.length !== HEIGHT * WIDTH)
    throw new TypeError(`a canvas is ${HEIGHT * WIDTH} bytes, as fit() makes it`);
  return new ort.Tensor("float32", Float32Array.from(canvas, (value) => value / 255), [1, 1, HEIGHT, WIDTH]);
}

// Brings any drawing onto the reader's canvas, 32 x 128 bytes, white ink on black: the rule of
// digit-readers (shards/canvas.py), step by step and to the last bit. No dependencies; browser and
// node. `f32` is there because the rule counts in 32-bit floats.

export const HEIGHT = 32, WIDTH = 128;
const INK_HEIGHT = 28, INK_WIDTH = 124, RIGHT_MARGIN = 2;
const FAINT = 32; // of 255: a contrast under this is paper, not ink
const GRAINS = 2; // so many times as far from the paper as its grain is ink
const f32 = Math.fround;

/**
 * Fit a drawing; returns Uint8Array(32 * 128), row by row.
 *
 * `drawing` is an ImageData, or {data, width, height} whose data has 1 (grey), 2 (grey, alpha),
 * 3 (RGB) or 4 (RGBA) numbers a pixel: bytes, or Float32Array or Float64Array in 0..1. Dark on
 * light, light on dark, or ink on a transparent ground. Throws a TypeError for what is no picture,
 * an Error with the code "BLANK" where nothing is drawn.
 */
export function fit(drawing) {
  return place(resize(cropInk(level(readGrey(drawing)))));
}

// Every picture below is {data, width, height}; `whole` says that its greys are whole numbers.

function readGrey({ data, width, height } = {}) {
  const channels = data?.length / (width * height);
  if (![1, 2, 3, 4].includes(channels) || ![width, height].every((n) => Number.isInteger(n) && n > 0))
    throw new TypeError(`no picture: ${data?.length} numbers for ${width} x ${height} px, not 1 to 4 a pixel`);
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (!bytes && !(data instanceof Float32Array || data instanceof Float64Array))
    throw new TypeError("no picture: its data must be bytes, or a Float32Array or Float64Array in 0..1");
  if (!bytes && !data.every((value) => value >= 0 && value <= 1)) // false for NaN, too
    throw new TypeError("no picture: floats must lie in 0..1");
  const values = bytes ? data : Float32Array.from(data, (value) => f32(value) * 255);
  if (channels === 1) return { data: values, width, height, whole: bytes };
  const grey = new Float32Array(width * height);
  for (let i = 0, j = 0; i < grey.length; i++, j += channels)
    grey[i] = channels < 3 ? values[j] : 0.299 * values[j] + 0.587 * values[j + 1] + 0.114 * values[j + 2];
  if (channels % 2) return { data: grey, width, height, whole: false };
  const alpha = new Float32Array(grey.length);
  for (let i = 0, j = channels - 1; i < alpha.length; i++, j += channels) alpha[i] = values[j];
  return withoutAlpha(grey, { data: alpha, width, height, whole: bytes });
}

// On a transparent ground one colour of ink is read from its alpha; any other is laid on white.
function withoutAlpha(grey, alpha) {
  const { data, width, height } = alpha;
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < grey.length; i++)
    if (data[i] >= 128) {
      if (grey[i] < low) low = grey[i];
      if (grey[i] > high) high = grey[i];
    }
  if (median([].concat(...sides(alpha))) < 128 && !(high - low >= 32)) return alpha;
  for (let i = 0; i < grey.length; i++) grey[i] = 255 + f32(f32(grey[i] - 255) * f32(data[i] / 255));
  return { data: grey, width, height, whole: false };
}

// Step 2: takes a slope of the light out.
function level(grey) {
  const { data, width, height } = grey;
  const [top, bottom, left, right] = sides(grey).map(median);
  if (top === bottom && left === right) return grey;
  const middle = median([].concat(...sides(grey)));
  const [low, high] = range(data);
  const contrast = Math.max(middle - low, high - middle);
  const ramp = (slope, side) =>
    Float32Array.from({ length: side }, (_, i) =>
      f32(Math.abs(slope) <= contrast / 2 ? slope : 0) * f32(f32((i + 0.5) / side) - 0.5));
  const down = ramp(bottom - top, height), across = ramp(right - left, width);
  const flat = new Float32Array(data.length);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) flat[i] = f32(data[i] - down[y]) - across[x];
  return { data: flat, width, height, whole: false };
}

// Steps 3 and 4: separates the ink from its background and crops to it.
function cropInk(grey) {
  const { data, width, height, whole } = grey;
  const border = [].concat(...sides(grey));
  const background = median(border);
  const [low, high] = range(data);
  const darker = background - low, lighter = high - background, peak = Math.max(darker, lighter);
  if (!(peak >= FAINT))
    throw Object.assign(new Error(
      `nothing is drawn: the contrast to the background is ${peak.toFixed(0)} of 255, ` +
      `at least ${FAINT} is needed`
    ), { code: "BLANK" });
  const faint = Math.max((FAINT * peak) / 255, GRAINS * grain(border, background, peak));
  const sign = lighter >= darker ? 1 : -1;
  const least = whole ? background + sign * faint : f32(background + sign * faint);
  const isInk = sign > 0 ? (value) => value >= least : (value) => value <= least;
  let top = height, bottom = 0, left = width, right = 0;
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++)
      if (isInk(data[i])) {
        if (y < top) top = y;
        bottom = y;
        if (x < left) left = x;
        if (x > right) right = x;
      }
  const ink = { width: right - left + 1, height: bottom - top + 1 };
  ink.data = new Float32Array(ink.width * ink.height);
  const paper = f32(background), scale = f32(255 / peak);
  for (let y = top, i = 0; y <= bottom; y++)
    for (let x = left; x <= right; x++, i++) {
      const value = data[y * width + x];
      if (isInk(value)) ink.data[i] = f32(Math.abs(f32(value - paper))) * scale;
    }
  return ink;
}

// Step 5: scales to 28 px high or 124 px wide.
function resize(ink) {
  const scale = Math.min(INK_HEIGHT / ink.height, INK_WIDTH / ink.width);
  const [height, width] = [ink.height, ink.width].map((side) => Math.max(1, Math.floor(side * scale + 0.5)));
  return boxMeans(boxMeans(ink, height), width);
}

// Step 6: scales to a peak of 255 and puts the ink in its place.
function place({ data, width, height }) {
  const canvas = new Uint8Array(HEIGHT * WIDTH);
  const left = WIDTH - RIGHT_MARGIN - width, top = (HEIGHT - height) >> 1;
  const scale = f32(255 / range(data)[1]);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++)
      canvas[(top + y) * WIDTH + left + x] = f32(f32(data[i] * scale) + 0.5);
  return canvas;
}

// Resamples to `out` rows, each the mean over a box around its centre, and turns rows to columns.
function boxMeans({ data, width, height }, out) {
  const step = height / out, half = Math.max(step, 1) / 2, scale = f32(2 * half);
  const sums = new Float32Array(height + 1);
  const before = (edge) => {
    const at = Math.min(Math.max(edge, 0), height), row = Math.min(Math.floor(at), height - 1);
    return [row, f32(at - row)];
  };
  const centres = Array.from({ length: out }, (_, i) => (i + 0.5) * step);
  const edges = centres.map((centre) => [before(centre - half), before(centre + half)]);
  const means = new Float32Array(width * out);
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) sums[y + 1] = sums[y] + data[y * width + x];
    const sum = ([row, part]) => f32(f32(data[row * width + x] * part) + sums[row]);
    for (let i = 0; i < out; i++) means[x * out + i] = f32(sum(edges[i][1]) - sum(edges[i][0])) / scale;
  }
  return { data: means, width: out, height: width };
}

function sides({ data, width, height }) {
  const line = (start, step, count) => Array.from({ length: count }, (_, i) => data[start + i * step]);
  const across = [0, (height - 1) * width].map((start) => line(start, 1, width));
  return [...across, ...[0, width - 1].map((start) => line(start, width, height))];
}

function median(values) {
  const ordered = Float64Array.from(values).sort();
  return (ordered[(ordered.length - 1) >> 1] + ordered[ordered.length >> 1]) / 2;
}

// How far the paper at the border is from the background, at most a quarter of the peak.
function grain(border, background, peak) {
  const paper = f32(background), limit = f32(peak / 2);
  const distances = Float64Array.from(border, (value) => f32(Math.abs(value - paper)));
  const near = distances.filter((distance) => distance < limit).sort();
  return near.length ? Math.min(near[Math.floor((near.length * 9) / 10)], peak / (2 * GRAINS)) : 0;
}

function range(values) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return [low, high];
}

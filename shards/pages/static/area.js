// A drawing area: strokes by mouse, finger or stylus, or with the keyboard's arrows and Enter. A
// stroke is a list of points [x, y]; the area is UNITS high, y goes down.

export const UNITS = 1000;
const STEP = 20; // units that an arrow key moves the keyboard's pen
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Fires "begin" when a pen touches, "end" when it lifts, "change" after undo, clear and set.
export class Area extends EventTarget {
  strokes = [];
  #canvas;
  #pen;
  #active = null; // the pointer that draws, or "keys"
  #spot = null; // where the keyboard's pen is

  constructor(canvas, pen) {
    super();
    this.#canvas = canvas;
    this.#pen = pen;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(name, (event) => this.#up(event));
    }
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#leave());
    addEventListener("pagehide", () => this.#end());
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  get drawing() {
    return this.#active !== null;
  }

  set(strokes) {
    this.#end();
    this.strokes = strokes;
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  undo() {
    this.set(this.strokes.slice(0, -1));
  }

  clear() {
    this.set([]);
  }

  // The longer side of what is drawn, in units.
  get extent() {
    const sides = [0, 1].map((axis) => {
      const values = this.strokes.flat().map((point) => point[axis]);
      return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
    });
    return Math.max(...sides);
  }

  #down(event) {
    if (event.button !== 0) return;
    // A palm lies down before the stylus: what it began is no stroke.
    if (this.#active?.type === "touch" && event.pointerType === "pen") this.#drop();
    if (this.#active !== null) return;
    this.#spot = null;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#begin({ id: event.pointerId, type: event.pointerType }, this.#point(event));
  }

  #move(event) {
    if (this.#active?.id !== event.pointerId) return;
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const each of coalesced.length ? coalesced : [event]) this.#add(this.#point(each));
    this.#draw();
  }

  #up(event) {
    if (this.#active?.id === event.pointerId) this.#end();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = ARROWS[event.key];
    if (way) {
      const [x, y] = this.#spot ?? [this.#width / 2, UNITS / 2];
      const step = event.shiftKey ? 4 * STEP : STEP;
      this.#spot = [
        Math.min(Math.max(x + step * way[0], 0), this.#width),
        Math.min(Math.max(y + step * way[1], 0), UNITS),
      ].map(Math.round);
      if (this.#active?.type === "keys") this.#add(this.#spot);
    } else if (event.key === "Enter" && this.#spot) {
      if (this.#active) this.#end();
      else this.#begin({ type: "keys" }, this.#spot);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#draw();
  }

  #leave() {
    if (this.#active?.type === "keys") this.#end();
    this.#spot = null;
    this.#draw();
  }

  #begin(pointer, point) {
    this.#active = pointer;
    this.strokes = [...this.strokes, [point]];
    this.#draw();
    this.dispatchEvent(new Event("begin"));
  }

  #add(point) {
    const stroke = this.strokes.at(-1);
    const [x, y] = stroke.at(-1);
    if (x !== point[0] || y !== point[1]) stroke.push(point);
  }

  #end() {
    if (this.#active === null) return;
    this.#active = null;
    this.#draw();
    this.dispatchEvent(new Event("end"));
  }

  #drop() {
    this.#active = null;
    this.strokes = this.strokes.slice(0, -1);
  }

  get #width() {
    return (UNITS * this.#canvas.clientWidth) / this.#canvas.clientHeight;
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const unit = UNITS / box.height;
    return [(event.clientX - box.left) * unit, (event.clientY - box.top) * unit].map(Math.round);
  }

  #draw() {
    const canvas = this.#canvas;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!height) return; // not shown
    const size = [width, height].map((side) => Math.round(side * devicePixelRatio));
    if (canvas.width !== size[0]) canvas.width = size[0];
    if (canvas.height !== size[1]) canvas.height = size[1];
    const context = canvas.getContext("2d");
    const scale = size[1] / UNITS;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.#width, UNITS);
    Object.assign(context, { lineCap: "round", lineJoin: "round", lineWidth: this.#pen });
    context.strokeStyle = getComputedStyle(canvas).color;
    context.beginPath();
    for (const stroke of this.strokes) {
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
    }
    context.stroke();
    if (this.#spot) this.#drawSpot(context);
  }

  #drawSpot(context) {
    context.lineWidth = 6;
    context.strokeStyle = getComputedStyle(this.#canvas).outlineColor;
    context.beginPath();
    context.arc(...this.#spot, this.#pen, 0, 2 * Math.PI);
    context.stroke();
  }
}

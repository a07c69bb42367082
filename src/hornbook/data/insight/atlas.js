// The atlas: every document a dot. Dots are drawn into a pixel buffer by hand, which keeps 50,000 of them fluid on
// machines without a graphics card as well; see docs/decisions/data-atlas.md.
const $ = (id) => document.getElementById(id);
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const packed = new Blob([bytesOf($("data").textContent.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
const data = JSON.parse(await new Response(packed).text());
$("data").remove();

const count = data.ids.length;
const x = new Float32Array(new Uint16Array(bytesOf(data.x).buffer)).map((v) => v / 65535);
const y = new Float32Array(new Uint16Array(bytesOf(data.y).buffer)).map((v) => v / 65535);
const facets = data.facets.map((facet) => ({ ...facet, codes: bytesOf(facet.codes), hidden: new Set() }));

const canvas = $("map");
const context = canvas.getContext("2d", { alpha: false });
const view = { x: 0.5, y: 0.5, scale: 1 }; // the middle, and pixels of the buffer for the whole map's width
let image, pixels, ratio = 1, facet = facets[0], colours = [], found = null, chosen = -1, waiting = false, placed = false;

// ---------------------------------------------------------------- colours
const LIGHT = ["#2266c1", "#c14a22", "#1f8f5f", "#8a4fbf", "#b98900", "#4f6b75", "#c2327e", "#5d8a1c", "#0d8f9c", "#7a5230"];
const DARK = ["#77aef5", "#f0926b", "#5fce9c", "#c39bea", "#e0bd55", "#9fb6bf", "#f08abc", "#a6d262", "#5fcfda", "#cfa581"];
const isDark = () => document.documentElement.dataset.theme === "dark";

function rgb(place, quiet) {
  if (quiet) return isDark() ? [105, 100, 92] : [168, 162, 150];
  const listed = isDark() ? DARK : LIGHT;
  if (place < listed.length) return [1, 3, 5].map((i) => parseInt(listed[place].slice(i, i + 2), 16));
  const hue = (place * 137.508) % 360, light = isDark() ? 0.66 : 0.44, c = 0.55 * Math.min(light, 1 - light);
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (light - c * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

function paint() {
  let place = 0;
  colours = facet.names.map((name, code) => rgb(facet.quiet.includes(code) ? 0 : place++, facet.quiet.includes(code)));
}

// ---------------------------------------------------------------- drawing
function resize() {
  ratio = Math.min(2, window.devicePixelRatio || 1);
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  image = context.createImageData(canvas.width, canvas.height);
  pixels = new Uint32Array(image.data.buffer);
  if (!placed && canvas.width > 1) {
    placed = true;
    showAll();
  }
  redraw();
}

const room = () => (canvas.clientWidth > 640 && !$("panel").classList.contains("folded") ? 300 * ratio : 0);
const middle = () => [(canvas.width + room()) / 2, canvas.height / 2];
const toScreen = (i, [mx, my] = middle()) => [(x[i] - view.x) * view.scale + mx, (y[i] - view.y) * view.scale + my];

function showAll() {
  view.x = view.y = 0.5;
  view.scale = 0.94 * Math.min(canvas.width - room(), canvas.height);
  redraw();
}

function radius() {
  const whole = 0.94 * Math.min(canvas.width, canvas.height);
  const small = Math.max(0.9, Math.min(3.4, 150 / Math.sqrt(count)));
  return ratio * Math.min(7, small * Math.pow(Math.max(1, view.scale / whole), 0.35));
}

function stampOf(r) {
  const reach = Math.ceil(r), size = 2 * reach + 1, cover = new Uint8Array(size * size);
  for (let j = 0; j < size; j++)
    for (let i = 0; i < size; i++)
      cover[j * size + i] = 255 * Math.max(0, Math.min(1, r + 0.5 - Math.hypot(i - reach, j - reach)));
  return { reach, size, cover };
}

function draw() {
  waiting = false;
  const width = canvas.width, height = canvas.height, [mx, my] = middle();
  const paper = isDark() ? 0xff151819 : 0xfff9fcfd;
  pixels.fill(paper);
  const r = radius(), alpha = count > 20000 ? 0.62 : count > 3000 ? 0.75 : 0.9;
  const shown = facet.names.map((_, code) => !facet.hidden.has(code));
  for (let round = found ? 0 : 1; round < 2; round++) {
    const stamp = stampOf(found && round ? 1.5 * r + 1 : r);
    const strength = Math.round(256 * (round ? (found ? 0.95 : alpha) : 0.1));
    for (let i = 0; i < count; i++) {
      if (found && found[i] !== round) continue;
      const code = facet.codes[i];
      if (!shown[code]) continue;
      const left = Math.round((x[i] - view.x) * view.scale + mx) - stamp.reach;
      const top = Math.round((y[i] - view.y) * view.scale + my) - stamp.reach;
      if (left + stamp.size <= 0 || top + stamp.size <= 0 || left >= width || top >= height) continue;
      dot(left, top, stamp, colours[code], strength, width, height);
    }
  }
  context.putImageData(image, 0, 0);
  labels();
  if (chosen >= 0) ring(chosen);
}

function dot(left, top, stamp, [red, green, blue], strength, width, height) {
  const j1 = Math.min(stamp.size, height - top), i1 = Math.min(stamp.size, width - left);
  for (let j = Math.max(0, -top); j < j1; j++) {
    let at = (top + j) * width + left + Math.max(0, -left);
    for (let i = Math.max(0, -left), k = j * stamp.size + i; i < i1; i++, k++, at++) {
      const part = (stamp.cover[k] * strength) >> 8;
      if (!part) continue;
      const under = pixels[at], rest = 256 - part;
      pixels[at] = 0xff000000 |
        (((((under >> 16) & 255) * rest + blue * part) >> 8) << 16) |
        (((((under >> 8) & 255) * rest + green * part) >> 8) << 8) |
        (((under & 255) * rest + red * part) >> 8);
    }
  }
}

function labels() {
  const style = getComputedStyle(document.documentElement);
  const size = 12.5 * ratio, taken = [];
  context.font = `600 ${size}px system-ui, "DejaVu Sans", sans-serif`;
  context.textAlign = "center";
  context.lineJoin = "round";
  context.lineWidth = 3.5 * ratio;
  context.strokeStyle = style.getPropertyValue("--paper");
  context.fillStyle = style.getPropertyValue("--ink");
  const [mx, my] = middle();
  for (const group of data.groups) { // the largest first
    const at = [(group.x - view.x) * view.scale + mx, (group.y - view.y) * view.scale + my];
    const half = context.measureText(group.label).width / 2 + 4 * ratio;
    if (at[0] + half < 0 || at[0] - half > canvas.width || at[1] < 0 || at[1] > canvas.height) continue;
    if (taken.some(([a, b, other]) => Math.abs(a - at[0]) < half + other && Math.abs(b - at[1]) < size * 1.35)) continue;
    taken.push([...at, half]);
    context.strokeText(group.label, ...at);
    context.fillText(group.label, ...at);
  }
}

function ring(i) {
  const at = toScreen(i);
  context.beginPath();
  context.arc(...at, radius() + 4 * ratio, 0, 7);
  context.lineWidth = 2 * ratio;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  context.stroke();
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(draw);
}

// ---------------------------------------------------------------- which dot is under the pointer: a grid of cells
const CELLS = 160;
const cellOf = new Uint16Array(count), starts = new Uint32Array(CELLS * CELLS + 1), order = new Uint32Array(count);
for (let i = 0; i < count; i++) {
  cellOf[i] = Math.min(CELLS - 1, Math.floor(y[i] * CELLS)) * CELLS + Math.min(CELLS - 1, Math.floor(x[i] * CELLS));
  starts[cellOf[i] + 1]++;
}
for (let c = 0; c < CELLS * CELLS; c++) starts[c + 1] += starts[c];
const filled = starts.slice();
for (let i = 0; i < count; i++) order[filled[cellOf[i]]++] = i;

function nearest(px, py) {
  const [mx, my] = middle();
  const ux = (px - mx) / view.scale + view.x, uy = (py - my) / view.scale + view.y;
  const reach = (radius() + 6 * ratio) / view.scale;
  const clamp = (v) => Math.max(0, Math.min(CELLS - 1, Math.floor(v * CELLS)));
  let best = -1, least = reach * reach;
  for (let cy = clamp(uy - reach); cy <= clamp(uy + reach); cy++)
    for (let cx = clamp(ux - reach); cx <= clamp(ux + reach); cx++)
      for (let k = starts[cy * CELLS + cx]; k < starts[cy * CELLS + cx + 1]; k++) {
        const i = order[k], far = (x[i] - ux) ** 2 + (y[i] - uy) ** 2;
        if (far < least && !facet.hidden.has(facet.codes[i]) && (!found || found[i])) [best, least] = [i, far];
      }
  return best;
}

// ---------------------------------------------------------------- the card of one document
function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function marked(text) {
  const part = element("p"), wanted = $("search").value.trim().toLowerCase(), low = text.toLowerCase();
  let at = 0;
  while (wanted && low.length === text.length) {
    const next = low.indexOf(wanted, at);
    if (next < 0) break;
    part.append(text.slice(at, next), element("mark", text.slice(next, next + wanted.length)));
    at = next + wanted.length;
  }
  part.append(text.slice(at));
  return part;
}

function show(i, held = false) {
  const card = $("card");
  chosen = i;
  card.hidden = i < 0;
  card.classList.toggle("held", held);
  if (i < 0) return redraw();
  card.replaceChildren(element("b", data.titles[i]));
  if (data.urls[i]) card.append(element("div", data.urls[i], "where"));
  card.append(element("div", facets.map((f) => `${f.name}: ${f.names[f.codes[i]]}`).join(" · "), "where"));
  card.append(marked(data.texts[i]), element("code", data.ids[i]));
  const [px, py] = toScreen(i).map((v) => v / ratio), box = card.getBoundingClientRect();
  card.style.left = `${Math.max(8, Math.min(px + 14, window.innerWidth - box.width - 8))}px`;
  card.style.top = `${py + 14 + box.height < window.innerHeight ? py + 14 : Math.max(8, py - box.height - 14)}px`;
  redraw();
}

// ---------------------------------------------------------------- moving about
function zoom(factor, px = middle()[0], py = middle()[1]) {
  const [mx, my] = middle(), least = 0.3 * Math.min(canvas.width, canvas.height), most = 400 * least;
  const next = Math.max(least, Math.min(most, view.scale * factor));
  view.x += (px - mx) * (1 / view.scale - 1 / next);
  view.y += (py - my) * (1 / view.scale - 1 / next);
  view.scale = next;
  redraw();
}

const pointers = new Map();
let travelled = 0;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, [event.clientX * ratio, event.clientY * ratio]);
  travelled = pointers.size > 1 ? 99 : 0;
});
canvas.addEventListener("pointermove", (event) => {
  const at = [event.clientX * ratio, event.clientY * ratio], before = pointers.get(event.pointerId);
  if (!before) {
    if (event.pointerType === "touch" || $("card").classList.contains("held")) return;
    const i = nearest(...at);
    canvas.classList.toggle("over", i >= 0);
    if (i !== chosen) show(i);
    return;
  }
  if (pointers.size === 2) {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
    const is = Math.hypot(at[0] - other[0], at[1] - other[1]);
    if (was > 0) zoom(is / was, (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }
  const part = 1 / pointers.size;
  view.x -= (part * (at[0] - before[0])) / view.scale;
  view.y -= (part * (at[1] - before[1])) / view.scale;
  travelled += Math.hypot(at[0] - before[0], at[1] - before[1]);
  canvas.classList.add("moving");
  if (travelled > 4 * ratio && !$("card").hidden) show(-1);
  pointers.set(event.pointerId, at);
  redraw();
});
for (const name of ["pointerup", "pointercancel"])
  canvas.addEventListener(name, (event) => {
    if (pointers.delete(event.pointerId) && name === "pointerup" && travelled < 6 * ratio) {
      const i = nearest(event.clientX * ratio, event.clientY * ratio);
      show(i, i >= 0);
    }
    if (!pointers.size) canvas.classList.remove("moving");
  });
canvas.addEventListener("pointerleave", () => { if (!$("card").classList.contains("held")) show(-1); });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const step = event.deltaY * (event.deltaMode === 1 ? 16 : 1) * (event.ctrlKey ? 4 : 1);
  zoom(Math.exp(-Math.max(-240, Math.min(240, step)) / 500), event.clientX * ratio, event.clientY * ratio);
}, { passive: false });
canvas.addEventListener("dblclick", (event) => zoom(2, event.clientX * ratio, event.clientY * ratio));
window.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const step = (60 * ratio) / view.scale;
  const keys = {
    "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: showAll, "/": () => $("search").focus(),
    ArrowLeft: () => (view.x -= step), ArrowRight: () => (view.x += step),
    ArrowUp: () => (view.y -= step), ArrowDown: () => (view.y += step), Escape: () => show(-1),
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  keys[event.key]();
  redraw();
});

// ---------------------------------------------------------------- search
let hay = null, timer = 0;
function search() {
  const wanted = $("search").value.trim().toLowerCase();
  hay ??= data.ids.map((id, i) => `${data.titles[i]}\n${data.texts[i]}\n${data.urls[i]}\n${id}`.toLowerCase());
  found = null;
  $("hits").replaceChildren();
  $("found").textContent = "";
  if (wanted) {
    found = new Uint8Array(count);
    let many = 0;
    for (let i = 0; i < count; i++) {
      if (!hay[i].includes(wanted)) continue;
      found[i] = 1;
      if (many++ < 50) $("hits").append(hit(i));
    }
    $("found").textContent = `${many.toLocaleString("en")} found${many > 50 ? ", 50 are listed" : ""}`;
  }
  redraw();
}

function hit(i) {
  const line = element("li"), button = element("button", data.titles[i]);
  button.type = "button";
  button.addEventListener("click", () => {
    view.scale = Math.max(view.scale, 4 * Math.min(canvas.width, canvas.height));
    [view.x, view.y] = [x[i], y[i]];
    show(i, true);
  });
  line.append(button);
  return line;
}
$("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 120); });

// ---------------------------------------------------------------- legend, theme, the rest
function legend() {
  const many = new Uint32Array(facet.names.length);
  for (let i = 0; i < count; i++) many[facet.codes[i]]++;
  $("legend").replaceChildren(...facet.names.map((name, code) => {
    const line = element("li"), button = element("button"), spot = element("i");
    spot.style.background = `rgb(${colours[code]})`;
    button.type = "button";
    button.title = name;
    button.setAttribute("aria-pressed", String(!facet.hidden.has(code)));
    button.append(spot, element("span", name, "name"), element("span", many[code].toLocaleString("en"), "many"));
    button.addEventListener("click", (event) => toggle(code, event.shiftKey));
    button.addEventListener("dblclick", () => toggle(code, true));
    line.append(button);
    return line;
  }));
}

function toggle(code, only) {
  if (only) facet.hidden = new Set(facet.names.map((_, other) => other).filter((other) => other !== code));
  else if (!facet.hidden.delete(code)) facet.hidden.add(code);
  if (facet.hidden.size === facet.names.length) facet.hidden.clear();
  [...$("legend").querySelectorAll("button")].forEach((button, other) =>
    button.setAttribute("aria-pressed", String(!facet.hidden.has(other))));
  redraw();
}

function choose(place) {
  facet = facets[place];
  paint();
  legend();
  redraw();
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  paint();
  legend();
  redraw();
}

facets.forEach((item, place) => $("facet").append(new Option(item.name, String(place))));
$("facet").addEventListener("change", () => choose(Number($("facet").value)));
$("in").addEventListener("click", () => zoom(1.6));
$("out").addEventListener("click", () => zoom(1 / 1.6));
$("all").addEventListener("click", showAll);
$("theme").addEventListener("click", () => theme(isDark() ? "light" : "dark"));
$("fold").addEventListener("click", () => {
  const folded = $("panel").classList.toggle("folded");
  $("fold").setAttribute("aria-expanded", String(!folded));
  redraw();
});
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
if (innerWidth <= 640) $("fold").click();
resize();
theme(dark.matches ? "dark" : "light");
new ResizeObserver(resize).observe(canvas);
document.documentElement.dataset.ready = "yes";

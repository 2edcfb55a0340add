/**
 * Draws a recording of terminals as an SVG. Lines appear at the times at which they came; whoever wants less motion, or
 * has a viewer that does not animate, sees all of them, each with its time.
 *
 * @module
 */
import type { Line, Terminal } from "./record.ts";

/** Sizes in pixels. A character's width is forced by textLength, so that any monospaced font fits. */
const CHARACTER = 7.2;
const LINE = 20;
const COLUMNS = 94;
const TIME_COLUMNS = 7;
const MARGIN = 14;
const BAR = 30;
const GAP = 16;
const WIDTH = Math.ceil((COLUMNS + TIME_COLUMNS) * CHARACTER + 2 * MARGIN);

/** How long the whole stays after its last line before it begins again, in milliseconds. */
const REST_MS = 4_000;

const STYLE = `
text { font: 12px monospace; fill: #d6deeb; white-space: pre }
.time { fill: #7f8c9d }
.typed { fill: #ffffff; font-weight: bold }
.klatch { fill: #8be9c1 }
.waiting { fill: #ffd479 }
.title { fill: #9aa7b8 }
@media (prefers-reduced-motion: reduce) { .line { animation: none !important } }`;

/**
 * Draws terminals, one above the other.
 *
 * @param terminals what they show.
 * @param caption what the picture shows, for those who do not see it.
 * @returns the SVG.
 */
export function draw(terminals: readonly Terminal[], caption: string): string {
  const lastMs = Math.max(...terminals.flatMap(({ lines }) => lines.map(({ atMs }) => atMs)));
  const totalMs = lastMs + REST_MS;
  let top = 0;
  const drawn = terminals.map((terminal, i) => {
    const text = terminalAt(top, terminal, i, totalMs);
    top += heightOf(terminal) + GAP;
    return text;
  });
  const keyframes = terminals.flatMap(({ lines }, i) =>
    lines.map(({ atMs }, j) => keyframesOf(nameOf(i, j), atMs, totalMs))
  );
  const height = top - GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="caption">`,
    `<title id="caption">${escaped(caption)}</title>`,
    `<style>${STYLE}\n${keyframes.join("\n")}\n</style>`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}

function heightOf({ lines }: Terminal): number {
  return BAR + lines.flatMap(({ text }) => folded(text)).length * LINE + MARGIN;
}

function terminalAt(top: number, terminal: Terminal, i: number, totalMs: number): string {
  const { title, lines } = terminal;
  const dots = [0, 1, 2].map((n) => `<circle cx="${MARGIN + 6 + n * 16}" cy="15" r="5" fill="#3a4656"/>`);
  let row = 0;
  const drawn = lines.map((line, j) => {
    const y = BAR + row * LINE + MARGIN;
    const parts = folded(line.text);
    row += parts.length;
    return lineAt(y, line, parts, `animation: ${nameOf(i, j)} ${seconds(totalMs)}s linear infinite`);
  });
  return [
    `<g transform="translate(0 ${top})">`,
    `<rect width="${WIDTH}" height="${heightOf(terminal)}" rx="8" fill="#10161f"/>`,
    ...dots,
    `<text class="title" x="${WIDTH / 2}" y="19" text-anchor="middle">${escaped(title)}</text>`,
    ...drawn,
    "</g>",
  ].join("\n");
}

function lineAt(y: number, { atMs, text }: Line, parts: readonly string[], style: string): string {
  const time = `${seconds(atMs)} s`.padStart(TIME_COLUMNS - 1);
  const rows = parts.map((part, n) =>
    put(MARGIN + TIME_COLUMNS * CHARACTER, y + n * LINE, kindOf(text), part)
  );
  return `<g class="line" style="${style}">${put(MARGIN, y, "time", time)}${rows.join("")}</g>`;
}

function put(x: number, y: number, kind: string, text: string): string {
  const width = (text.length * CHARACTER).toFixed(1);
  return `<text class="${kind}" x="${x}" y="${y}" textLength="${width}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">${
    escaped(text)
  }</text>`;
}

function kindOf(text: string): string {
  if (text.startsWith("$ ")) return "typed";
  if (text.startsWith("klatch: waiting")) return "waiting";
  return text.startsWith("klatch: ") ? "klatch" : "output";
}

/** A line as a terminal of that width breaks it. */
function folded(text: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at === 0 || at < text.length; at += COLUMNS) parts.push(text.slice(at, at + COLUMNS));
  return parts;
}

function nameOf(terminal: number, line: number): string {
  return `t${terminal}l${line}`;
}

/** Invisible before its time, visible from then on. */
function keyframesOf(name: string, atMs: number, totalMs: number): string {
  const at = ((atMs / totalMs) * 100).toFixed(2);
  return `@keyframes ${name} { 0%, ${at}% { opacity: 0 } ${
    (Number(at) + 0.01).toFixed(2)
  }%, 100% { opacity: 1 } }`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}

/**
 * Holds as a timeline, in SVG: a row for each hold with its wait before it, and a row on top for the lock itself, in which
 * gaps are seen.
 *
 * @see {@link https://www.w3.org/TR/SVG2/}
 * @module
 */
import { formatDuration, printable, shortened } from "../text.ts";
import { gapsIn, type HoldEnd, type PastHold } from "./holds.ts";

const WIDTH = 960, LABELS = 210, RIGHT = 20, TOP = 64, ROW = 24, BAR = 14;
const TICKS = 5;
const LONGEST_LABEL = 28;

const COLOURS: Readonly<Record<HoldEnd, string>> = {
  released: "#2e7d32",
  open: "#2e7d32",
  lost: "#c62828",
  broken: "#c62828",
  expired: "#ef6c00",
};
const WAITED = "#b0bec5", FREE = "#eceff1";

/**
 * Draws a timeline.
 *
 * @param title names the lock.
 * @param holds from {@link import("./holds.ts").holdsOf}, at least one.
 * @param nowMs where holds that are open end, milliseconds since the Unix epoch.
 * @returns an SVG document.
 */
export function timelineSvg(title: string, holds: readonly PastHold[], nowMs: number): string {
  const ends = holds.map(({ startMs, endMs }) => endMs ?? Math.max(nowMs, startMs));
  const fromMs = Math.min(...holds.map(({ waitingSinceMs }) => waitingSinceMs));
  const toMs = Math.max(...ends, fromMs + 1);
  const x = (ms: number) => LABELS + (ms - fromMs) / (toMs - fromMs) * (WIDTH - LABELS - RIGHT);
  const y = (row: number) => TOP + row * ROW;
  const height = y(holds.length + 1) + 56;
  const bar = (row: number, startMs: number, endMs: number, colour: string, tip: string, more = "") =>
    `<rect x="${px(x(startMs))}" y="${y(row) + (ROW - BAR) / 2}" ` +
    `width="${px(Math.max(1.5, x(endMs) - x(startMs)))}" height="${BAR}" fill="${colour}"${more}>` +
    `<title>${escaped(tip)}</title></rect>`;
  const label = (row: number, words: string) => text(LABELS - 10, y(row) + 16, words, "end");
  const rows = holds.flatMap((hold, i) => {
    const { holder, token, waitingSinceMs, startMs, endMs, end, reason } = hold;
    const row = i + 1, lastMs = ends[i] ?? nowMs;
    const held = `${holder} held the lock for ${formatDuration(lastMs - startMs)}: ${end}` +
      `${token === undefined ? "" : `, token ${token}`}${reason === undefined ? "" : `, ${reason}`}`;
    return [
      label(row, shortened(holder, LONGEST_LABEL)),
      ...waitingSinceMs < startMs
        ? [
          bar(
            row,
            waitingSinceMs,
            startMs,
            WAITED,
            `${holder} waited for ${formatDuration(startMs - waitingSinceMs)}`,
          ),
        ]
        : [],
      bar(row, startMs, lastMs, COLOURS[end], held, endMs === undefined ? ` fill-opacity="0.5"` : ""),
      ...end === "released" || end === "open"
        ? []
        : [text(Math.min(x(lastMs) + 4, WIDTH - 60), y(row) + 16, end, "start")],
    ];
  });
  const gaps = gapsIn(holds).map(({ startMs, endMs }) =>
    bar(0, startMs, endMs, FREE, `free for ${formatDuration(endMs - startMs)}`, ` stroke="#90a4ae"`)
  );
  const lock = holds.map(({ startMs, end }, i) => bar(0, startMs, ends[i] ?? nowMs, COLOURS[end], "held"));
  const axis = Array.from({ length: TICKS + 1 }, (_, i) => {
    const ms = fromMs + (toMs - fromMs) * i / TICKS;
    const [at, bottom] = [px(x(ms)), y(holds.length + 1)];
    return `<line x1="${at}" y1="${TOP}" x2="${at}" y2="${bottom}" stroke="#cfd8dc"/>` +
      text(x(ms), bottom + 16, `+${formatDuration(ms - fromMs)}`, i === TICKS ? "end" : "middle");
  });
  const legend = (["held", "waited", "free", "lost or broken", "expired"] as const).map((words, i) => {
    const colour = [COLOURS.released, WAITED, FREE, COLOURS.lost, COLOURS.expired][i] ?? "";
    const at = LABELS + i * 120, top = height - 24;
    return `<rect x="${at}" y="${top}" width="12" height="12" fill="${colour}" stroke="#90a4ae"/>` +
      text(at + 18, top + 10, words, "start");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
    `font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="20" y="26" font-size="16">${escaped(title)}</text>`,
    text(20, 46, `from ${new Date(fromMs).toISOString()}`, "start"),
    ...axis,
    label(0, "lock"),
    ...gaps,
    ...lock,
    ...rows,
    ...legend,
    "</svg>",
    "",
  ].join("\n");
}

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${px(x)}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

function px(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}

/** A text of others in XML: nothing of it is markup, and nothing is forbidden there. */
function escaped(words: string): string {
  return printable(words).replace(/[\uFFFE\uFFFF]/g, " ").replace(
    /[&<>"']/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

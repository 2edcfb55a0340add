/**
 * What was measured, as a table: a line for each strategy and number of waiters.
 *
 * @module
 */

import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { deadlines } from "../../lib/session/deadlines.ts";
import { ms, type Section } from "../report.ts";
import { median, percentile } from "../statistics.ts";
import type { LocksFigures } from "./locks.ts";
import type { Cost, Figures, Handover } from "./measure.ts";

/** How often a holder renews, in seconds: all of them have the default timing. */
const RENEWED_EVERY_S = deadlines(0, DEFAULT_TIMING).renewAtMs / 1000;

/**
 * Makes a section of a report.
 *
 * @param all what was measured.
 * @param seconds how long was looked on while all waited.
 */
export function section(all: readonly Figures[], seconds: number): Section {
  return {
    notes: [
      `All waiters are sessions of klatch's in one process, over as many connections as their watches need, with the ` +
      `token of one service account. They come all at once. While they wait, ${seconds} s, the holder renews every ` +
      `${RENEWED_EVERY_S} s. Then the lock goes from one to the next, each time after all have heard of the last one. Figures of a ` +
      `hand-over are means but for the gap, which is from the holder's release to the next one's hold, median and p99. ` +
      `Bytes are bodies without HTTP and TLS; processor time is of all cores; the waiters' own is beside it because ` +
      `they share the machine with the server.`,
    ],
    head: ["", ...all.map(({ strategy, waiters }) => `${strategy}, ${count(waiters)}`)],
    body: lines.map(([name, show]) => [name, ...all.map((figures) => show(figures))]),
    verdicts: [],
  };
}

/** Makes a section about locks that are held. */
export function locksSection(all: readonly LocksFigures[]): Section {
  const extra = ({ holding, idle, renewals }: LocksFigures, whose: keyof Cost["processor"]) => {
    const each = (holding[whose] - idle[whose]) * 1000 / renewals;
    return isNaN(each) ? "–" : `${each.toFixed(2)} ms`;
  };
  return {
    notes: [
      `Each lock has a holder with a connection of its own, which renews every ${RENEWED_EVERY_S} s. Processor time is that of one ` +
      "renewal, above what the idle server used in as long a time before.",
    ],
    head: [
      "strategy",
      "locks",
      "renewals/s",
      "API server",
      "etcd",
      "sent to the server",
      "back",
      "memory before, then",
    ],
    body: all.map((figures) => [
      figures.strategy,
      count(figures.locks),
      (figures.renewals * 1000 / figures.ms).toFixed(1),
      extra(figures, "apiserver"),
      extra(figures, "etcd"),
      bytes(figures.bytesUp / figures.renewals),
      bytes(figures.bytesDown / figures.renewals),
      `${mb(figures.memoryMb.before)}, ${mb(figures.memoryMb.after)}`,
    ]),
    verdicts: [],
  };
}

type Line = readonly [name: string, show: (figures: Figures) => string];

const lines: readonly Line[] = [
  ["in line", ({ waiters, refused }) => count(waiters - refused)],
  ["**coming**, until all listen", ({ coming }) => `${(coming.ms / 1000).toFixed(1)} s`],
  [
    "writes, of them conflicts",
    ({ coming: { counts } }) => `${count(counts.writes)}, ${count(counts.conflicts)}`,
  ],
  ["reads, watches", ({ coming: { counts } }) => `${count(counts.reads)}, ${count(counts.watches)}`],
  ["answered 429", ({ coming: { counts } }) => count(counts.refused)],
  ["sent by the server", ({ coming: { counts } }) => bytes(counts.bytesDown)],
  ["processor: API server, etcd, waiters", ({ coming }) => seconds(coming)],
  ["**waiting**, a minute: requests", ({ waiting }) => rate(waiting, requests(waiting))],
  ["events", ({ waiting }) => rate(waiting, waiting.counts.events)],
  ["sent by the server", ({ waiting }) => bytes(waiting.counts.bytesDown * 60_000 / waiting.ms)],
  ["one core's: API server, etcd, waiters", ({ waiting }) => shares(waiting)],
  ["API server's memory before, then", ({ memoryMb: { before, after } }) => `${mb(before)}, ${mb(after)}`],
  ["**hand-overs**", ({ handovers }) => count(handovers.length)],
  ["gap, median", ({ handovers }) => ms(median(handovers.map(({ gapMs }) => gapMs)))],
  ["gap, p99", ({ handovers }) => ms(percentile(handovers.map(({ gapMs }) => gapMs), 99))],
  ["writes, of them conflicts", ({ handovers }) => means(handovers, "writes", "conflicts")],
  ["reads, watches", ({ handovers }) => means(handovers, "reads", "watches")],
  ["events", ({ handovers }) => mean(handovers, ({ counts }) => counts.events).toFixed(0)],
  ["sent by the server", ({ handovers }) => bytes(mean(handovers, ({ counts }) => counts.bytesDown))],
  ["sent to the server", ({ handovers }) => bytes(mean(handovers, ({ counts }) => counts.bytesUp))],
  ["processor: API server", ({ handovers }) => milliseconds(handovers, "apiserver")],
  ["processor: etcd", ({ handovers }) => milliseconds(handovers, "etcd")],
  ["processor: waiters", ({ handovers }) => milliseconds(handovers, "waiters")],
];

function requests({ counts: { reads, writes, watches } }: Cost): number {
  return reads + writes + watches;
}

function rate({ ms }: Cost, number: number): string {
  return (number * 60_000 / ms).toFixed(1);
}

function seconds({ processor: { apiserver, etcd, waiters } }: Cost): string {
  return [apiserver, etcd, waiters].map((each) => isNaN(each) ? "–" : `${each.toFixed(1)} s`).join(", ");
}

function shares({ ms, processor: { apiserver, etcd, waiters } }: Cost): string {
  const share = (each: number) => isNaN(each) ? "–" : `${(each * 100_000 / ms).toFixed(1)} %`;
  return [apiserver, etcd, waiters].map(share).join(", ");
}

function milliseconds(all: readonly Handover[], whose: keyof Cost["processor"]): string {
  const value = mean(all, ({ processor }) => processor[whose] * 1000);
  return isNaN(value) ? "–" : `${value.toFixed(0)} ms`;
}

function means(all: readonly Handover[], ...names: readonly (keyof Cost["counts"])[]): string {
  return names.map((name) => mean(all, ({ counts }) => counts[name]).toFixed(1)).join(", ");
}

function mean(all: readonly Handover[], of: (each: Handover) => number): number {
  return all.reduce((sum, each) => sum + of(each), 0) / all.length;
}

function bytes(value: number): string {
  return value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${count(Number((value / 1e6).toFixed(1)))} MB`;
}

function mb(value: number): string {
  return isNaN(value) ? "–" : `${value.toFixed(0)} MB`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

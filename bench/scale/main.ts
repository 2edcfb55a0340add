/**
 * Measures what many waiters for one lock cost, and prints a table in Markdown:
 *
 *     deno run -A bench/scale/main.ts --waiters 100,1000 --strategy lease,ticket
 *
 * It takes a real API server where `KUBEBUILDER_ASSETS` is set, else the sandbox, which is a part of this process.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { Strategy } from "../../lib/lock.ts";
import { strategies } from "../../lib/strategies/mod.ts";
import { endOnSignals } from "../ending.ts";
import { sectionText } from "../report.ts";
import { startServer } from "../server.ts";
import { type Figures, measure } from "./measure.ts";
import { section } from "./table.ts";

const DEFAULTS = { waiters: "1000", strategy: "lease", handovers: "30", window: "30" };
const USAGE = "usage: main.ts [--waiters N,…] [--strategy NAME,…] [--handovers N] [--window SECONDS]";

async function main(args: readonly string[]): Promise<number> {
  const wrong: string[] = [];
  const unknown = (flag: string) => void wrong.push(`there is no ${flag}`);
  const given = parseArgs(args, { string: Object.keys(DEFAULTS), unknown });
  const list = (name: keyof typeof DEFAULTS) => String(given[name] ?? DEFAULTS[name]).split(",");
  const numbers = (name: keyof typeof DEFAULTS) => {
    const all = list(name).map(Number);
    if (!all.every((each) => Number.isInteger(each) && each > 1)) wrong.push(`--${name} ${list(name)}`);
    return all;
  };
  const chosen = list("strategy").flatMap((name): Strategy[] => {
    const found = strategies.find((each) => each.name === name);
    if (found === undefined) wrong.push(`there is no strategy ${name}`);
    return found === undefined ? [] : [found];
  });
  const [waiters, [handovers = 0], [seconds = 0]] = [
    numbers("waiters"),
    numbers("handovers"),
    numbers("window"),
  ];
  if (wrong.length > 0) {
    console.error(`bench/scale: ${wrong.join(", ")}; ${USAGE}`);
    return 125;
  }
  endOnSignals();
  const all: Figures[] = [];
  for (const strategy of chosen) {
    for (const number of waiters) all.push(await alone(strategy, number, handovers, seconds * 1000));
  }
  console.log(sectionText(section(all, seconds)));
  return 0;
}

/** Measures on a server of its own: what one measurement leaves in its memory is not the next one's. */
async function alone(
  strategy: Strategy,
  waiters: number,
  handovers: number,
  windowMs: number,
): Promise<Figures> {
  const server = await startServer();
  const say = (line: string) => console.error(`${strategy.name}, ${waiters} waiters: ${line}`);
  say(`on ${server.version}`);
  try {
    return await measure({ server, strategy, waiters, handovers, windowMs, lock: "scale", say });
  } finally {
    await server.stop();
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

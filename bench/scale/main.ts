/**
 * Measures what many waiters for one lock cost, and prints a table in Markdown:
 *
 *     deno run -A bench/scale/main.ts --waiters 100,1000 --strategy lease,ticket
 *     deno run -A bench/scale/main.ts --locks 300
 *
 * The second line measures locks that are held by one holder each, instead.
 *
 * It takes a real API server where `KUBEBUILDER_ASSETS` is set, else the sandbox, which is a part of this process.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { Strategy } from "../../lib/lock.ts";
import { strategies } from "../../lib/strategies/catalog.ts";
import { endOnSignals } from "../ending.ts";
import { sectionText } from "../report.ts";
import { type BenchServer, startServer } from "../server.ts";
import { type LocksFigures, measureLocks } from "./locks.ts";
import { type Figures, measure } from "./measure.ts";
import { locksSection, section } from "./table.ts";

const DEFAULTS = { waiters: "1000", strategy: "lease", handovers: "30", window: "30", locks: "0" };
const USAGE =
  "usage: main.ts [--waiters N,…] [--strategy NAME,…] [--handovers N] [--window SECONDS] [--locks N,…]";

async function main(args: readonly string[]): Promise<number> {
  const wrong: string[] = [];
  const unknown = (flag: string) => void wrong.push(`there is no ${flag}`);
  const given = parseArgs(args, { string: Object.keys(DEFAULTS), unknown });
  const list = (name: keyof typeof DEFAULTS) => String(given[name] ?? DEFAULTS[name]).split(",");
  const numbers = (name: keyof typeof DEFAULTS) => {
    const all = list(name).map(Number);
    if (!all.every((each) => Number.isInteger(each) && each >= 0)) wrong.push(`--${name} ${list(name)}`);
    return all;
  };
  const chosen = list("strategy").flatMap((name): Strategy[] => {
    const found = strategies.find((each) => each.name === name);
    if (found === undefined) wrong.push(`there is no strategy ${name}`);
    return found === undefined ? [] : [found];
  });
  const [[handovers = 0], [seconds = 0]] = [numbers("handovers"), numbers("window")];
  const [waiters, locks] = [numbers("waiters"), numbers("locks").filter((each) => each > 0)];
  if (wrong.length > 0) {
    console.error(`bench/scale: ${wrong.join(", ")}; ${USAGE}`);
    return 125;
  }
  endOnSignals();
  const windowMs = seconds * 1000;
  if (locks.length > 0) {
    const found: LocksFigures[] = [];
    for (const strategy of chosen) {
      for (const number of locks) {
        found.push(
          await alone(strategy, number, (server) => {
            return measureLocks({ server, strategy, locks: number, windowMs });
          }),
        );
      }
    }
    console.log(sectionText(locksSection(found)));
    return 0;
  }
  const all: Figures[] = [];
  for (const strategy of chosen) {
    for (const number of waiters) {
      all.push(
        await alone(strategy, number, (server, say) => {
          return measure({ server, strategy, waiters: number, handovers, windowMs, lock: "scale", say });
        }),
      );
    }
  }
  console.log(sectionText(section(all, seconds)));
  return 0;
}

/** Measures on a server of its own: what one measurement leaves in its memory is not the next one's. */
async function alone<F>(
  strategy: Strategy,
  number: number,
  run: (server: BenchServer, say: (line: string) => void) => Promise<F>,
): Promise<F> {
  const server = await startServer();
  const say = (line: string) => console.error(`${strategy.name}, ${number}: ${line}`);
  say(`on ${server.version}`);
  try {
    return await run(server, say);
  } finally {
    await server.stop();
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

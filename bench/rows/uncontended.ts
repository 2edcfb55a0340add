/**
 * What it costs to run a command under a lock that nobody else wants, for each kind of credentials.
 *
 * @module
 */

import { lease } from "../../lib/strategies/lease.ts";
import type { Context, Row } from "../context.ts";
import { type Contender, klatchContender } from "../contenders.ts";
import { type Access, accesses } from "../access.ts";
import { timed } from "../processes.ts";
import { atMost, ms, ratio, type Section, times, type Verdict } from "../report.ts";
import { alternate, median, percentile } from "../statistics.ts";

export const uncontended: Row = { name: "uncontended", title: "A lock that nobody else wants", run };

/** One line of the table. */
interface Candidate {
  readonly name: string;
  readonly access: Access | undefined;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function run(context: Context): Promise<Section> {
  await using access = await accesses(context);
  const candidates = [...plain(context), ...access.list.flatMap((each) => under(context, each))];
  const rounds = context.rounds(50, 8);
  context.say(`a lock that nobody else wants, ${rounds} rounds of ${candidates.length}`);
  const measure = async ({ words, env }: Candidate) => [await timed(words, { dir: context.dir, env })];
  // The first run of each makes the lock, and fills the caches.
  await alternate(candidates, 1, measure);
  const figures = await alternate(candidates, rounds, measure);
  const middles = new Map(candidates.map((each, i) => [each, median(figures[i] ?? [])]));
  const of = (name: string, access?: Access) => {
    const found = candidates.find((each) => each.name === name && each.access === access);
    return found === undefined ? undefined : middles.get(found);
  };
  return {
    notes: [
      "`run x -- true`, from just before the start of the program until its end is known, with everything at its " +
      "default, the guard included. The empty program is one line of TypeScript, compiled for the same runtime.",
      ...access.notes,
      ...context.absent,
    ],
    head: ["program", "credentials", "runs", "median", "p99", "to client-go", "to the empty program"],
    body: candidates.map((each, i) => {
      const [mine = [], middle = NaN] = [figures[i], middles.get(each)];
      const base = each.access === undefined ? undefined : of("client-go", each.access);
      return [
        ...[each.name, each.access?.name ?? "", `${mine.length}`, ms(middle), ms(percentile(mine, 99))],
        ...[ratio(middle, base), ratio(middle, of("empty program"))],
      ];
    }),
    verdicts: access.list.flatMap((each): Verdict[] => {
      if (each.limit === undefined) return [];
      const [klatch, base] = [of("klatch", each), of("client-go", each)];
      const figure = klatch === undefined || base === undefined ? undefined : klatch / base;
      return [atMost(`klatch to client-go, ${each.name}`, figure, each.limit, times)];
    }),
  };
}

/** What is measured without any cluster. */
function plain({ programs, contenders, dir, server }: Context): Candidate[] {
  const lock = { namespace: server.namespace, name: "uncontended", dir, kubeconfig: undefined };
  const flock = contenders.find(({ name }) => name === "flock");
  return [
    { name: "true", access: undefined, words: ["true"], env: {} },
    ...(flock === undefined
      ? []
      : [{ name: "flock", access: undefined, words: flock.words(lock, ["true"]), env: {} }]),
    { name: "empty program", access: undefined, words: [programs.empty], env: {} },
  ];
}

/** Everybody who goes to the cluster, with one kind of credentials; other tools with the first that is a file. */
function under(context: Context, access: Access): Candidate[] {
  const klatch: Contender = { ...klatchContender(context.programs, lease), name: "klatch" };
  const others = context.contenders.filter(({ name, strategy }) => {
    return strategy === undefined && name !== "flock" && (name === "client-go" || access.isCertificate);
  });
  return [klatch, ...others].map((contender): Candidate => {
    const kubeconfig = contender.name === "klatch" ? access.kubeconfig : access.othersKubeconfig;
    // A lock for each, so that nobody finds another's object.
    const name = `uncontended-${contender.name}-${access.key}`;
    const lock = { namespace: context.server.namespace, name, dir: context.dir, kubeconfig };
    return { name: contender.name, access, words: contender.words(lock, ["true"]), env: access.env };
  });
}

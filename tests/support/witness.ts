/**
 * A witness for mutual exclusion: it wraps the command that is run under a lock and finds out whether two such
 * commands were ever alive together.
 *
 * The judge is the kernel. Each command, as its first act, takes the lowest free of the numbered `flock` files and
 * keeps it, together with all that it forks, until the last of them is dead; death, of whatever kind, gives it
 * back at that instant. So the k-th file can only be had while k−1 other commands live, and k commands that live together
 * hold files up to the k-th: more than n were inside if and only if somebody ever got a file above n. A command
 * that is killed and leaves no word is seen as exactly as one that ends in peace.
 *
 * What it cannot see is the millisecond between the command's start and that first act. It needs flock(1).
 *
 * @module
 */

import { poll } from "./waiting.ts";
import { isAlive } from "./watched_process.ts";

const PATIENCE_MS = 60_000;

/**
 * Scanning the files is serialised by a mutex: else a file above n might be taken by one that scanned past a file
 * just before it was given back. The enter line is written under it too, so lines are in the order of the claims.
 * Each line is one write to a file opened for appending, so lines never mix and their order is one for all.
 */
const SCRIPT = `
began=$(date +%s%N)
dir=$1 id=$2
shift 2
exec 8>>"$dir/mutex"
flock 8 || { echo "broken $id" >>"$dir/log"; exit 99; }
place=1
while :; do
  exec 9>>"$dir/place.$place"
  flock -n 9 && break
  [ $? -eq 1 ] || { echo "broken $id" >>"$dir/log"; exit 99; }
  place=$((place + 1))
done
echo "enter $id $$ $place $began" >>"$dir/log"
exec 8>&-
"$@"
status=$?
echo "exit $id $$ $place $(date +%s%N)" >>"$dir/log"
exit $status
`;

/** One run of a command under the lock. */
export interface Visit {
  readonly id: string;
  /** The process id of the command, which leads its process group if klatch does as it promises. */
  readonly pid: number;
  /** The number of the file it got: that many commands, it included, were alive then at the least. */
  readonly place: number;
  /** When the command began, in milliseconds since the epoch with three decimals. */
  readonly enteredMs: number;
  /** When it ended by itself; undefined if it is still there or was killed. */
  leftMs: number | undefined;
}

/** A witness with a directory of its own. */
export class Witness {
  readonly dir: string;
  readonly log: string;

  private constructor(dir: string) {
    this.dir = dir;
    this.log = `${dir}/log`;
  }

  /** Makes a new one, with an empty log. */
  static async create(): Promise<Witness> {
    const dir = await Deno.makeTempDir({ prefix: "klatch-witness-" });
    await Deno.writeTextFile(`${dir}/witness.sh`, SCRIPT);
    await Deno.writeTextFile(`${dir}/log`, "");
    return new Witness(dir);
  }

  /**
   * The command to run under the lock.
   *
   * @param id names the visit in the log; no white space.
   * @param body what the command does while it is inside.
   * @returns program and arguments.
   */
  command(id: string, body: readonly string[] = ["sleep", "0.05"]): string[] {
    if (!/^\S+$/.test(id)) throw new Error(`not fit for a log: ${JSON.stringify(id)}`);
    return ["/bin/sh", `${this.dir}/witness.sh`, this.dir, id, ...body];
  }

  /** What the log says, in the order of entering. */
  async visits(): Promise<Visit[]> {
    return parseVisits(await Deno.readTextFile(this.log));
  }

  /** Waits until somebody, or `id`, has entered; the first such visit. */
  async entered(id?: string): Promise<Visit> {
    return await this.until(`${id ?? "somebody"} enters`, (visits) => {
      return visits.find((visit) => id === undefined || visit.id === id);
    });
  }

  /** Waits until the log has what is looked for; at most a minute. */
  until<T>(what: string, look: (visits: Visit[]) => T): Promise<Exclude<T, undefined | false>> {
    return poll(async () => look(await this.visits()), {
      limitMs: PATIENCE_MS,
      everyMs: 5,
      failure: async () => `waited in vain until ${what}; the log:\n${await Deno.readTextFile(this.log)}`,
    });
  }

  /** The visits whose command is alive now. */
  async inside(): Promise<Visit[]> {
    return (await this.visits()).filter((visit) => visit.leftMs === undefined && isAlive(visit.pid));
  }

  /** {@link assertNeverMoreThan} on the log as it is. */
  async assertNeverMoreThan(n: number): Promise<void> {
    assertNeverMoreThan(n, await Deno.readTextFile(this.log));
  }

  async remove(): Promise<void> {
    await Deno.remove(this.dir, { recursive: true });
  }
}

/**
 * Whether flock(1) and date(1) are as the witness needs them.
 *
 * @returns false where they are not.
 */
export function canWitness(): boolean {
  const script =
    "exec 9>/dev/null && command -v flock >/dev/null && case $(date +%N) in *[!0-9]*) exit 1; esac";
  return new Deno.Command("/bin/sh", { args: ["-c", script], stdout: "null", stderr: "null" }).outputSync()
    .success;
}

/**
 * Fails if more than `n` commands were ever inside together, if nobody ever was (then nothing was tested), or if
 * the log is not what the witness writes.
 *
 * @param n the number of holders that the lock admits, from 1.
 * @param log the text of the log.
 *
 * @example
 * ```ts
 * import { assertNeverMoreThan } from "./witness.ts";
 *
 * assertNeverMoreThan(1, "enter a 7 1 1000000\nexit a 7 1 2000000\n");
 * ```
 */
export function assertNeverMoreThan(n: number, log: string): void {
  const visits = parseVisits(log);
  if (visits.length === 0) throw new Error("nobody was ever inside: nothing was witnessed");
  const beyond = visits.find((visit) => visit.place > n);
  if (beyond) throw new Error(`${beyond.id} was inside as number ${beyond.place} of at most ${n}:\n${log}`);
  // The same question once more, from the order of the lines alone, in case the files were no good.
  const told = new Set(visits.filter((visit) => visit.leftMs !== undefined).map((visit) => keyOf(visit)));
  let count = 0;
  for (const { verb, visit } of parseLines(log)) {
    if (!told.has(keyOf(visit))) continue;
    count += verb === "enter" ? 1 : -1;
    if (count > n) throw new Error(`${visit.id} entered while ${n} had not left:\n${log}`);
  }
}

/**
 * How long the lock was empty between one command's end and the next one's start.
 *
 * @param log the text of the log, of a lock that admits one.
 * @returns milliseconds, one for each command that came after one that left by itself.
 */
export function gaps(log: string): number[] {
  const found: number[] = [];
  let leftMs: number | undefined;
  for (const { verb, ms } of parseLines(log)) {
    if (verb === "enter" && leftMs !== undefined) found.push(ms - leftMs);
    leftMs = verb === "exit" ? ms : undefined;
  }
  return found;
}

/**
 * What a log says.
 *
 * @returns the visits in the order of entering.
 * @throws {Error} on a line that the witness does not write, or one that says it could not do its work.
 */
export function parseVisits(log: string): Visit[] {
  const visits = new Map<string, Visit>();
  for (const { verb, visit, ms } of parseLines(log)) {
    const known = visits.get(keyOf(visit));
    if (verb === "enter") {
      if (known) throw new Error(`${visit.id} entered twice:\n${log}`);
      visits.set(keyOf(visit), visit);
    } else {
      if (!known || known.leftMs !== undefined) {
        throw new Error(`${visit.id} left and was not inside:\n${log}`);
      }
      known.leftMs = ms;
    }
  }
  return [...visits.values()];
}

function* parseLines(log: string): Generator<{ verb: "enter" | "exit"; visit: Visit; ms: number }> {
  // What comes after the last line break is a line that is being written.
  for (const line of log.split("\n").slice(0, -1)) {
    const match = /^(enter|exit) (\S+) (\d+) (\d+) (\d+)$/.exec(line);
    if (!match) throw new Error(`not a line of the witness: ${line}`);
    const [, verb, id = "", pid, place, ns = "0"] = match;
    const ms = Number(BigInt(ns) / 1000n) / 1000;
    const visit: Visit = { id, pid: Number(pid), place: Number(place), enteredMs: ms, leftMs: undefined };
    yield { verb: verb === "enter" ? "enter" : "exit", visit, ms };
  }
}

function keyOf(visit: Visit): string {
  return `${visit.id} ${visit.pid}`;
}

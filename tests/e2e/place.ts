/**
 * Where an end-to-end test takes place: one lock of its own on one server, and the compiled klatch on it. A test
 * file that uses it runs on every server, and is skipped where there is no binary.
 *
 * @module
 */
import { it } from "@std/testing/bdd";
import type { KubeObject } from "../../lib/lock.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { Bench } from "../contract/bench.ts";
import { cases } from "../contract/cases.ts";
import {
  endKlatchProcesses,
  klatchBinary,
  markedProcesses,
  type RunningKlatch,
  type RunOptions,
  spawnKlatch,
} from "../support/binary.ts";
import { commandLine } from "../support/marked_processes.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { type ServerChoice, type TestServer, testServers } from "../support/servers.ts";

/** Why there are no end-to-end tests here; false where there are. */
export const noBinary: string | false = klatchBinary() === undefined
  ? "needs dist/klatch: run the task compile, or set KLATCH_BINARY"
  : false;

/** A hold that is renewed soon and seen to expire soon, with flags for klatch. */
export const QUICK_FLAGS = ["--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "500ms"];

/** One lock on one server. */
export class Place {
  readonly server: TestServer;
  readonly bench: Bench;
  readonly dir: string;

  constructor(server: TestServer, bench: Bench, dir: string) {
    this.server = server;
    this.bench = bench;
    this.dir = dir;
  }

  get name(): string {
    return this.bench.lock.name;
  }
  get namespace(): string {
    return this.bench.lock.namespace;
  }
  /** The path of the compiled klatch. */
  get binary(): string {
    return klatchBinary() ?? "";
  }
  /** What every klatch of this place has in its environment besides. */
  moreEnv: Readonly<Record<string, string>> = {};
  get env(): Record<string, string> {
    return { KUBECONFIG: this.server.kubeconfigFile, ...this.moreEnv };
  }

  /** The words of `klatch run` for this place's lock. */
  words(flags: readonly string[], command: readonly string[]): string[] {
    return ["run", this.name, "-n", this.namespace, ...flags, "--", ...command];
  }

  /** Starts `klatch run` on this place's lock. */
  spawn(flags: readonly string[], command: readonly string[], options: RunOptions = {}): RunningKlatch {
    return this.klatch(this.words(flags, command), options);
  }

  /** Starts klatch with any words. */
  klatch(words: readonly string[], options: RunOptions = {}): RunningKlatch {
    return spawnKlatch(words, { ...options, env: { ...this.env, ...options.env } });
  }

  /** Runs `klatch run` to its end. */
  run(flags: readonly string[], command: readonly string[], options: RunOptions = {}) {
    return this.spawn(flags, command, options).finished;
  }

  /** Starts klatch through a shell line, in which `$@` is klatch and all its words. */
  shell(line: string, flags: readonly string[], command: readonly string[]): RunningKlatch {
    return this.klatch(["-c", line, "sh", this.binary, ...this.words(flags, command)], { binary: "/bin/sh" });
  }

  /** Starts a klatch that holds the lock until {@link RunningKlatch.closeStdin}; resolves when it does. */
  async holder(flags: readonly string[] = []): Promise<RunningKlatch> {
    const running = this.spawn(flags, ["sh", "-c", "echo in; cat"], { stdin: "open" });
    await running.line("stdout", /^in$/);
    return running;
  }

  /** Who holds the lock by its record. */
  async holders(): Promise<string[]> {
    const object = await this.bench.client.get(this.bench.ref);
    return object === undefined ? [] : this.bench.holdersIn(object);
  }

  /** Takes the lock away as another tool that does not ask would. */
  async seize(holder = "thief"): Promise<KubeObject> {
    const tool = cases.find((each) => each.strategy === lease);
    if (tool === undefined) throw new Error("the contract has no records of a Lease");
    return await this.bench.rewrite((object) => tool.seized(object, holder, 60_000));
  }

  /** A path in a directory of this test's own. */
  file(name: string): string {
    return `${this.dir}/${name}`;
  }

  /** Whether there is such a file. */
  has(name: string): boolean {
    try {
      return Deno.statSync(this.file(name)).isFile;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    endKlatchProcesses();
    await this.bench.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** Defines a test that has a place of its own. */
export type OnPlace = (title: string, body: (place: Place) => Promise<void>, skip?: string) => void;

/**
 * Describes something on every server.
 *
 * @param title what is described.
 * @param suite defines the tests.
 * @param choices the servers, if not all.
 */
export function onServers(
  title: string,
  suite: (test: OnPlace) => void,
  choices: readonly ServerChoice[] = testServers(),
): void {
  onEachServer(`${title},`, "e2e", (ground) => {
    suite((name, body, skip) =>
      it(name, { skip: skip ?? false }, async () => {
        const { server, namespace } = ground;
        const place = new Place(
          server,
          await Bench.make(lease, server.kubeconfigFile, namespace),
          await Deno.makeTempDir({ prefix: "klatch-e2e-" }),
        );
        try {
          await body(place);
        } finally {
          await place.close();
        }
      })
    );
  }, { skip: noBinary || undefined, choices });
}

/** What klatch runs of this test have left; awaits nothing, since klatch promises that nothing is left at its end. */
export function leftovers(): string[] {
  return markedProcesses().map((pid) => `${pid} ${commandLine(pid) ?? "(gone)"}`);
}

/** The lines of a text that ends with a line break. */
export function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

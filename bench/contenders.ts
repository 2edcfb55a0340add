/**
 * Who contends: klatch with each strategy, client-go, and the other tools that are installed, with the words that run
 * a command under a lock with each of them. All with their defaults, but for what keeps them from being compared
 * (a polling interval of 30 s).
 *
 * @module
 */

import type { Strategy } from "../lib/lock.ts";
import { strategies } from "../lib/strategies/catalog.ts";
import type { Programs } from "./programs.ts";

/** Which lock. */
export interface Lock {
  readonly namespace: string;
  /** Also a file name in {@link Lock.dir}. */
  readonly name: string;
  /** Where a tool that knows only files keeps them. */
  readonly dir: string;
  /** Undefined in a pod. */
  readonly kubeconfig: string | undefined;
}

/** Somebody who runs commands under a lock. */
export interface Contender {
  readonly name: string;
  /** Which of klatch's it is; undefined for another tool. */
  readonly strategy: Strategy | undefined;
  /** Words that run a command while holding a lock that admits one. */
  words(lock: Lock, command: readonly string[]): string[];
  /** A line on stderr by which it tells that it waits; without one, time has to do. */
  readonly waits: RegExp | undefined;
}

/** klatch with a strategy. */
export function klatchContender(programs: Programs, strategy: Strategy): Contender {
  const flags = ["--strategy", strategy.name, ...(strategy.name === "semaphore" ? ["--slots", "1"] : [])];
  return {
    name: `klatch, ${strategy.name}`,
    strategy,
    words: ({ namespace, name, kubeconfig }, command) => {
      const where = ["-n", namespace, ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig])];
      return [programs.klatch, "run", name, ...where, ...flags, "--", ...command];
    },
    waits: /waiting/,
  };
}

/** The same with another build of klatch, if one was named. */
export function earlierContender(programs: Programs, strategy: Strategy): Contender | undefined {
  if (programs.before === undefined) return undefined;
  const { name, ...rest } = klatchContender({ ...programs, klatch: programs.before }, strategy);
  return { ...rest, name: `${name} (before)` };
}

/** Everybody who is there; klatch's default strategy is first. */
export function findContenders(programs: Programs): Contender[] {
  const found = strategies.map((strategy) => klatchContender(programs, strategy));
  if ("path" in programs.clientGo) found.push(clientGo(programs.clientGo.path));
  for (const [name, path] of programs.tools) found.push(tool(name, path));
  return found;
}

/** The words that a row puts into its notes for those who are not there. */
export function absentContenders(programs: Programs): string[] {
  return "missing" in programs.clientGo ? [`client-go is left out: ${programs.clientGo.missing}.`] : [];
}

function clientGo(path: string): Contender {
  return {
    name: "client-go",
    strategy: undefined,
    words: ({ namespace, name, kubeconfig }, command) => {
      const where = kubeconfig === undefined ? [] : [`-kubeconfig=${kubeconfig}`];
      return [path, ...where, `-namespace=${namespace}`, `-name=${name}`, "--", ...command];
    },
    waits: /Attempting to acquire/,
  };
}

function tool(name: string, path: string): Contender {
  const build: Record<string, Contender["words"]> = {
    "flock": ({ dir, name }, command) => [path, `${dir}/${name}.flock`, ...command],
    "klock": ({ namespace, name, kubeconfig }, command) => {
      const where = kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig];
      return [path, "-n", namespace, "-l", name, "-g", ...where, "--", ...command];
    },
    "kubelock": ({ namespace, name, kubeconfig }, command) => {
      const where = kubeconfig === undefined ? [] : ["-kubeconfig", kubeconfig];
      return [path, "-namespace", namespace, "-name", name, ...where, ...command];
    },
    "kube-lock": ({ namespace, name, kubeconfig }, command) => {
      const where = kubeconfig === undefined ? "" : ` --kubeconfig-path '${kubeconfig}'`;
      const words = `'${path}' '${namespace}' '${name}' --holder-name "bench-$$"${where}`;
      const script = `${words} --create-configmap --polling-interval 1s && "$@"; status=$?; ` +
        `${words} --unlock && exit $status`;
      return ["/bin/sh", "-c", script, "sh", ...command];
    },
  };
  const words = build[name];
  if (words === undefined) throw new Error(`nobody knows how ${name} is called`);
  return { name, strategy: undefined, words, waits: undefined };
}

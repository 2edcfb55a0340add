/**
 * The command line: finds the command and runs it.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import { asKlatchError, exitStatus, KlatchError } from "../errors.ts";
import { as, runAs, TOOLS } from "./as/mod.ts";
import { COMMANDS, helpFor, overview } from "./help.ts";
import { run } from "./run.ts";
import { VERSION } from "./version.ts";
import type { World } from "./world.ts";

/**
 * Runs klatch.
 *
 * @param args the program's arguments.
 * @param world the process around it.
 * @returns the exit status, 0–255. It never rejects: a failure is said in one line.
 */
export async function main(args: readonly string[], world: World): Promise<number> {
  try {
    return await dispatch(args, world);
  } catch (error) {
    const failure = asKlatchError(error);
    world.say(`klatch: ${failure.line}\n`);
    return exitStatus(failure);
  }
}

async function dispatch(args: readonly string[], world: World): Promise<number> {
  const name = world.calledAs.slice(world.calledAs.lastIndexOf("/") + 1);
  if (TOOLS.includes(name)) return await runAs(name, args, world);
  const [command, ...rest] = args;
  switch (command) {
    case "run":
      return await run(rest, world);
    case "sandbox": {
      // Loaded only here: a run does not need an API server of its own.
      const { sandbox } = await import("./sandbox.ts");
      return await sandbox(rest, world);
    }
    case "as":
      return await as(rest, world);
    case "version":
    case "--version":
    case "-V":
      world.print(`klatch ${VERSION}\n`);
      return 0;
    case "help":
    case "--help":
    case "-h":
      if (rest[0] !== undefined && !COMMANDS.includes(rest[0])) throw unknown(rest[0]);
      world.print(rest[0] === undefined ? overview() : helpFor(rest[0]));
      return 0;
    case undefined:
      throw new KlatchError("usage", "there is no command", { hint: "klatch help lists them" });
    default:
      throw unknown(command);
  }
}

function unknown(command: string): KlatchError {
  const nearest = closestString(command, [...COMMANDS]);
  return new KlatchError("usage", `there is no command "${command}"`, {
    hint: `did you mean klatch ${nearest}? klatch help lists them all`,
  });
}

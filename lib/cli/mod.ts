/**
 * The command line: finds the command and runs it.
 *
 * @module
 */
import { asKlatchError, exitStatus, KlatchError } from "../errors.ts";
import { isTool, type Tool } from "./compat/tools.ts";
import { COMMANDS, helpFor, overview } from "./help.ts";
import { Reporter } from "./reporter.ts";
import { run } from "./run.ts";
import { suggest } from "./suggest.ts";
import { VERSION } from "../version.ts";
import type { Host } from "./host.ts";

/**
 * Runs klatch.
 *
 * @param args the program's arguments.
 * @param host the process around it.
 * @returns the exit status, 0–255. It never rejects: a failure is said in one line.
 */
export async function main(args: readonly string[], host: Host): Promise<number> {
  try {
    return await dispatch(args, host);
  } catch (error) {
    const failure = asKlatchError(error);
    const log = { format: formatWanted(args, host), quiet: false, verbose: false };
    new Reporter(host, log, { namespace: "", name: "" }, "").error(failure);
    return exitStatus(failure);
  }
}

/** In which format a failure is to be told, as far as a command line says that may be wrong. */
function formatWanted(args: readonly string[], host: Host): "text" | "json" {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  const at = own.findLastIndex((arg) => /^(-[a-zA-Z]*o|--output)(=|$)/.test(arg));
  const [, after] = (own[at] ?? "").split("=");
  const format = at < 0 ? host.env("KLATCH_OUTPUT") : after ?? own[at + 1];
  return format === "json" ? "json" : "text";
}

async function dispatch(args: readonly string[], host: Host): Promise<number> {
  const name = host.calledAs.slice(host.calledAs.lastIndexOf("/") + 1);
  if (isTool(name)) return await runAs(name, args, host);
  const [command, ...rest] = args;
  switch (command) {
    case "run":
      return await run(rest, host);
    case "sandbox": {
      // Loaded only here: a run does not need an API server of its own.
      const { sandbox } = await import("./sandbox.ts");
      return await sandbox(rest, host);
    }
    case "as": {
      const { as } = await import("./compat/mod.ts");
      return await as(rest, host);
    }
    case "version":
    case "--version":
    case "-V":
      host.print(`klatch ${VERSION}\n`);
      return 0;
    case "help":
    case "--help":
    case "-h":
      return await help(rest[0], host);
    case undefined:
      throw new KlatchError("usage", "there is no command", { hint: "klatch help lists them" });
    default:
      throw unknown(command);
  }
}

/** Loaded only here, as the sandbox is. */
async function runAs(tool: Tool, args: readonly string[], host: Host): Promise<number> {
  const standIns = await import("./compat/mod.ts");
  return await standIns.runAs(tool, args, host);
}

async function help(command: string | undefined, host: Host): Promise<number> {
  if (command !== undefined && isTool(command)) return await runAs(command, ["--help"], host);
  if (command !== undefined && !COMMANDS.includes(command)) throw unknown(command);
  host.print(command === undefined ? overview() : helpFor(command));
  return 0;
}

function unknown(command: string): KlatchError {
  const meant = suggest(command, COMMANDS);
  return new KlatchError("usage", `there is no command "${command}"`, {
    hint: `${meant === undefined ? "" : `did you mean klatch ${meant}? `}klatch help lists them all`,
  });
}

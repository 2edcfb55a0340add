/**
 * The command line: finds the command and runs it.
 *
 * @module
 */
import { asKlatchError, exitStatus, KlatchError } from "../errors.ts";
import { loadCommand, parseFor, unknownCommand } from "./command.ts";
import { isTool } from "./compat/tools.ts";
import { type Format, isFormat } from "./output/options.ts";
import { Reporter } from "./output/reporter.ts";
import type { Host } from "./host.ts";

/**
 * Runs klatch.
 *
 * @param args the program's arguments.
 * @param host the process around it.
 * @returns the exit status, 0–255. It never rejects: a failure is reported in one line.
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

async function dispatch(args: readonly string[], host: Host): Promise<number> {
  const calledAs = host.calledAs.slice(host.calledAs.lastIndexOf("/") + 1);
  if (isTool(calledAs)) {
    // Loaded only here: klatch under its own name does not need the stand-ins.
    const { runAs } = await import("./compat/mod.ts");
    return await runAs(calledAs, args, host);
  }
  const [word, ...rest] = args;
  if (word === undefined) {
    throw new KlatchError("usage", "the command is missing", { hint: "klatch help lists all commands" });
  }
  const command = await loadCommand(word);
  if (command === undefined) throw unknownCommand(word);
  const parsed = parseFor(command, rest, (name) => host.env(name));
  if (!parsed.on("help")) return await command.run(parsed, host);
  const { helpFor } = await import("./help.ts");
  host.print(helpFor(command));
  return 0;
}

/** The format in which to report a failure, as far as a command line says so that may be wrong. */
function formatWanted(args: readonly string[], host: Host): Format {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  const at = own.findLastIndex((arg) => /^(-[a-zA-Z]*o|--output)(=|$)/.test(arg));
  const [, after] = (own[at] ?? "").split("=");
  const format = (at < 0 ? host.env("KLATCH_OUTPUT") : after ?? own[at + 1]) ?? "";
  return isFormat(format) ? format : "text";
}

/**
 * Stands in for the tools that klatch replaces: their flags, defaults, exit statuses and records, with klatch's safety.
 * `klatch as TOOL …`, and the same when klatch is called by a tool's name, through a link for instance.
 *
 * It promises what the tools' own help texts and READMEs say. It does not repeat their log lines, except for the few
 * words that scripts look for.
 *
 * @module
 */
import { asKlatchError } from "../../errors.ts";
import { printable, shortened } from "../../text.ts";
import { lineOf } from "../hints.ts";
import type { Host } from "../host.ts";
import { klock } from "./klock.ts";
import { kubeLock } from "./kube_lock.ts";
import { kubelock } from "./kubelock.ts";
import { type CompatTool, ToolError } from "./compat_tool.ts";
import type { Tool } from "./tools.ts";

const COMPAT_TOOLS: Readonly<Record<Tool, CompatTool>> = { klock, kubelock, "kube-lock": kubeLock };

/**
 * Runs as one of the tools.
 *
 * @param tool its name.
 * @param args its arguments.
 * @param host the process around it.
 * @returns the exit status that the tool would give. It never rejects: a failure is said in one line.
 */
export async function runAs(tool: Tool, args: readonly string[], host: Host): Promise<number> {
  const standIn = COMPAT_TOOLS[tool];
  try {
    return await standIn.run(args, host);
  } catch (error) {
    const failure = asKlatchError(error);
    const line = printable(shortened(lineOf(failure), 1_000));
    host.say(`${line.startsWith(`${tool}: `) ? "" : `${tool}: `}${line}\n`);
    return failure instanceof ToolError ? failure.exitStatus : standIn.statusOf(failure);
  }
}

/**
 * `klatch elect NAME [-- COMMAND]`: contends for leadership for ever, and says who leads.
 *
 * @module
 */
import { elect as contend } from "../../elect/elect.ts";
import { leaderJson, parseHttpAddress, serveLeader, urlOf } from "../../elect/http.ts";
import { Leadership } from "../../elect/leadership.ts";
import { KlatchError } from "../../errors.ts";
import { checkOneHolder } from "../../once/once.ts";
import { printable, safeJson } from "../../text.ts";
import type { Command } from "../command.ts";
import type { Host } from "../host.ts";
import type { Format } from "../output/options.ts";
import { runLocked } from "../run.ts";
import { holdFlags, readHoldOptions, SEVERAL_HOLDERS } from "../run_options.ts";

/** The flags of `run` that mean nothing to one who contends for ever, for a lock that only one can hold. */
const WITHOUT: ReadonlySet<string> = new Set([
  ...SEVERAL_HOLDERS,
  "wait",
  "conflict-exit-code",
  "cleanup",
  "ticket",
  "strict",
]);

/** The command. */
export const elect: Command = {
  name: "elect",
  summary: "contend for ever, and say who leads",
  usage: "klatch elect NAME [flags] [-- COMMAND [ARG…]]",
  description:
    "Leader election for programs that have no client-go. It contends for the lock NAME for ever; while it leads it runs\n" +
    "COMMAND, if there is one. When the command ends or the lock is lost it contends again, after a pause that grows.",
  flags: [
    {
      name: "http",
      value: "ADDR",
      help: "say who leads on http://ADDR: PORT for loopback only, or HOST:PORT (default: say nothing)",
    },
    { name: "watch", help: "print a line to stdout whenever it changes who leads" },
    ...holdFlags.filter(({ name }) => !WITHOUT.has(name)).map((flag) =>
      flag.name === "identity"
        ? { ...flag, help: "name of the holder in the record (default: the host's or pod's name)" }
        : flag
    ),
  ],
  examples: [
    { title: "Say who leads, beside a program that asks", line: "klatch elect web --http 4040" },
    { title: "Run a program wherever the leader is", line: "klatch elect scheduler -- ./scheduler" },
    { title: "Print a line whenever the leader changes", line: "klatch elect web --watch" },
  ],
  notes:
    `GET / answers {"name": HOLDER, "leader": BOOL, "token": TOKEN, "since": TIME}; token only to the leader itself. It
answers 503 if it is not known who leads. GET /healthz answers 200, GET /readyz 200 or 503 as GET / does.

HUP, INT, QUIT and TERM end it, and the lock is released at once.

Exit status: the command's own if a signal ended elect while it ran, or
  0    a signal ended elect while no command ran
  125  klatch itself failed
  126  the command cannot be executed
  127  the command was not found
`,
  async run(parsed, host) {
    const hold = readHoldOptions(elect, parsed, (name) => host.env(name));
    const { command } = parsed;
    if (command?.[0] === undefined && command !== undefined || command?.[0] === "") {
      throw new KlatchError("usage", "elect: the command is missing", { hint: `write ${elect.usage}` });
    }
    checkOneHolder("elect", hold.strategies);
    const address = parsed.text("http");
    const http = address === undefined ? undefined : parseHttpAddress(address);
    const identity = hold.identity ?? host.hostname();
    const options = {
      ...hold,
      identity,
      waitMs: undefined,
      cleanup: false,
      guard: hold.guard || command === undefined,
      command: command ?? [],
    };
    const leadership = new Leadership(host.clock, identity, hold.timing.leaseDurationMs);
    using over = new Ending();
    return await runLocked(options, host, async ({ make, reporter }) => {
      if (http !== undefined) {
        reporter.listening(urlOf(serveLeader(http, () => leadership.view(), over.signal)));
      }
      if (parsed.on("watch")) void printChanges(leadership, hold.log.format, host, over.signal);
      return await contend({
        make,
        leadership,
        hasCommand: command !== undefined,
        onEnd: (end, pauseMs) => reporter.termEnded(end, pauseMs),
      });
    });
  },
};

/** Aborts a signal at the end of a block. */
class Ending implements Disposable {
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#controller.abort();
  }
}

/** Prints who leads, and again whenever that is another one or is not known any more. */
async function printChanges(
  leadership: Leadership,
  format: Format,
  host: Host,
  over: AbortSignal,
): Promise<void> {
  let before = "";
  while (!over.aborted) {
    const view = leadership.view();
    const { leader } = view;
    const essence = JSON.stringify(leader === undefined ? null : [leader.name, leader.isMe, leader.since]);
    if (essence !== before) {
      const time = new Date(host.clock.wall()).toISOString();
      const who = leader === undefined
        ? `unknown: ${view.why}`
        : `${printable(leader.name)}${leader.isMe ? ` (this one, token ${leader.token})` : ""}`;
      host.print(format === "json" ? `${safeJson({ time, ...leaderJson(view) })}\n` : `${time}   ${who}\n`);
    }
    before = essence;
    await leadership.change(over);
  }
}

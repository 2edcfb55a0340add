/**
 * Lines for a step of a GitHub workflow: waiting in a folded group, a notice when the lock is acquired, an error
 * annotation when it is lost or something else fails, and a table in the step's summary.
 *
 * @see {@link https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands}
 * @module
 */
import { formatDuration, printable, shortened } from "../../text.ts";
import type { Host } from "../host.ts";
import type { Output, Report, Subject, WaitingNews } from "./report.ts";

/** Annotations are for reading at a glance. */
const LONGEST = 1_000;

/** What an error says in the summary. */
const OUTCOMES: Readonly<Record<string, string>> = {
  lost: "lost",
  timeout: "not acquired in time",
  interrupted: "cancelled while waiting",
};

/** Writes reports as workflow commands. */
export class GithubOutput implements Output {
  readonly #host: Host;
  readonly #subject: Subject;
  /** Whether a group is open. */
  #inGroup = false;
  #told = "";
  #token = "";
  #waitedMs = 0;
  #acquiredMs: number | undefined;

  constructor(host: Host, subject: Subject) {
    this.#host = host;
    this.#subject = subject;
  }

  write(report: Report): void {
    const { event, message, fields } = report;
    switch (event) {
      case "acquired":
        this.#token = String(fields["token"]);
        this.#waitedMs = Number(fields["waitedMs"]);
        this.#acquiredMs = this.#host.clock.monotonic();
        this.#setOutputs({
          acquired: "true",
          holder: String(fields["holder"] ?? ""),
          token: this.#token,
          "waited-seconds": String(Math.round(this.#waitedMs / 1000)),
        });
        return this.#command("notice", { title: "klatch: lock acquired" }, message);
      case "released":
        this.#line(message);
        this.#token = String(fields["token"] ?? this.#token);
        return this.#summarize("released", Number(fields["heldMs"]));
      case "error":
        this.#command(
          "error",
          { title: fields["code"] === "lost" ? "klatch: lock lost" : "klatch" },
          message,
        );
        if (this.#acquiredMs === undefined) this.#setOutputs({ acquired: "false" });
        return this.#summarize(OUTCOMES[String(fields["code"])] ?? "failed");
      case "warning":
      case "polling":
      case "trouble":
        return this.#command("warning", { title: "klatch" }, message);
      default:
        return this.#line(message);
    }
  }

  waiting(report: (refreshed: boolean) => Report, news: WaitingNews): void {
    const told = JSON.stringify(news);
    if (told === this.#told) return;
    this.#told = told;
    const { message } = report(false);
    const { namespace, name } = this.#subject.lock;
    if (!this.#inGroup) this.#command("group", {}, `klatch: waiting for ${namespace}/${name}`);
    this.#inGroup = true;
    this.#line(message);
  }

  waited(): void {
    if (this.#inGroup) this.#host.say("::endgroup::\n");
    this.#inGroup = false;
    this.#told = "";
  }

  /** Sets outputs of the step. A value that has line breaks cannot end its line: they are printed as spaces. */
  #setOutputs(outputs: Readonly<Record<string, string>>): void {
    const file = this.#host.env("GITHUB_OUTPUT");
    if (!file) return;
    const lines = Object.entries(outputs).map(([name, value]) => `${name}=${printable(value)}\n`);
    this.#host.append(file, lines.join(""));
  }

  #line(message: string): void {
    this.#host.say(`klatch: ${text(message)}\n`);
  }

  #command(name: string, properties: Readonly<Record<string, string>>, message: string): void {
    const listed = Object.entries(properties).map(([key, value]) => `${key}=${escapedProperty(value)}`).join(
      ",",
    );
    this.#host.say(`::${name}${listed === "" ? "" : ` ${listed}`}::${escaped(text(message))}\n`);
  }

  #heldMs(): number | undefined {
    return this.#acquiredMs === undefined ? undefined : this.#host.clock.monotonic() - this.#acquiredMs;
  }

  /** Adds a table to the step's summary, if the lock is known. */
  #summarize(outcome: string, heldMs = this.#heldMs()): void {
    const file = this.#host.env("GITHUB_STEP_SUMMARY");
    const { lock: { namespace, name }, strategy } = this.#subject;
    if (!file || name === "") return;
    const held = heldMs === undefined ? "" : formatDuration(heldMs);
    const cells = [
      `\`${namespace}/${name}\``,
      strategy,
      outcome,
      formatDuration(this.#waitedMs),
      held,
      this.#token,
    ];
    this.#host.append(
      file,
      "\n| lock | strategy | outcome | waited | held | fencing token |\n| --- | --- | --- | --- | --- | --- |\n" +
        `| ${cells.join(" | ")} |\n`,
    );
  }
}

function text(message: string): string {
  return printable(shortened(message, LONGEST));
}

/** The message of a workflow command, as the runner's own toolkit escapes it. */
function escaped(message: string): string {
  return message.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapedProperty(value: string): string {
  return escaped(value).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/**
 * One JSON object a line, for programs. `docs/json.md` describes the events and their fields.
 *
 * @module
 */
import { safeJson, shortened } from "../../text.ts";
import type { Host } from "../host.ts";
import type { Output, Report, Subject, WaitingNews } from "./report.ts";

/** Longer messages are cut: they name several texts of others. */
const LONGEST_MESSAGE = 1_000;

/** Writes reports as JSON. */
export class JsonOutput implements Output {
  readonly #host: Host;
  readonly #subject: Subject;
  #told = "";

  constructor(host: Host, subject: Subject) {
    this.#host = host;
    this.#subject = subject;
  }

  write({ event, message, fields }: Report): void {
    const { lock: { namespace, name }, strategy } = this.#subject;
    const time = new Date(this.#host.clock.wall()).toISOString();
    const common = { time, event, lock: name, namespace, strategy };
    this.#host.say(
      `${safeJson({ ...common, ...shortTexts(fields), message: shortened(message, LONGEST_MESSAGE) })}\n`,
    );
  }

  waiting(report: (refreshed: boolean) => Report, news: WaitingNews): void {
    const told = JSON.stringify(news);
    if (told !== this.#told) this.write(report(false));
    this.#told = told;
  }

  waited(): void {
    this.#told = "";
  }
}

/** The value with all texts in it cut to a length that is of use. */
function shortTexts<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_, each) => typeof each === "string" ? shortened(each) : each);
}

/**
 * Finds out when the last process of a command has died, to the millisecond and however it died: all of them have a
 * named pipe open for writing, and its reader meets the end when the kernel closes the last of these. A process that
 * closes its descriptors by itself would escape; the commands of these tests do not.
 *
 * @module
 */

/** Reads to the end, then tells the time in its own process: this one may be busy. */
const READER = 'cat <"$1" >&2; date +%s%N';
/** Descriptor 7 is inherited by all that the command starts. */
const HOLD = 'exec 7>"$0"; exec "$@"';

/** One command's. */
export class Lifeline {
  /** When the last process died, in milliseconds since the epoch. */
  readonly diedMs: Promise<number>;
  readonly #fifo: string;
  readonly #reader: Deno.ChildProcess;

  private constructor(fifo: string) {
    this.#fifo = fifo;
    this.#reader = new Deno.Command("/bin/sh", {
      args: ["-c", READER, "sh", fifo],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      detached: true,
    }).spawn();
    this.diedMs = this.#reader.output().then(({ stdout }) => {
      const text = new TextDecoder().decode(stdout).trim();
      if (!/^\d+$/.test(text)) throw new Error(`the lifeline was cut: ${text}`);
      return Number(BigInt(text) / 1000n) / 1000;
    });
    this.diedMs.catch(() => {});
  }

  /** @param dir where the pipe goes. */
  static async make(dir: string): Promise<Lifeline> {
    const fifo = `${dir}/lifeline`;
    const { success } = await new Deno.Command("mkfifo", { args: [fifo] }).output();
    if (!success) throw new Error(`cannot make the named pipe ${fifo}`);
    return new Lifeline(fifo);
  }

  /** The command, on the lifeline. */
  command(argv: readonly string[]): string[] {
    return ["/bin/sh", "-c", HOLD, this.#fifo, ...argv];
  }

  /** Ends the reader, which waits for ever where the command never started. */
  cut(): void {
    try {
      // Its cat too; it leads a group.
      Deno.kill(-this.#reader.pid, "SIGKILL");
    } catch {
      // It has met the end.
    }
  }
}

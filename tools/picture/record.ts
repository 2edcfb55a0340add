/**
 * A recording of two contenders for one lock, each in a terminal of its own, on the embedded API server.
 *
 * @module
 */
import { startSandbox } from "../../lib/sandbox/mod.ts";

/** A line that a terminal shows. */
export interface Line {
  /** When it came, in milliseconds since the first command was typed. */
  readonly atMs: number;
  readonly text: string;
}

/** What one terminal shows. */
export interface Terminal {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** How to record. */
export interface RecordOptions {
  /** The command line that starts klatch, without arguments. */
  readonly klatch: readonly string[];
  /** How long each deployment takes, in milliseconds. */
  readonly workMs: number;
  /** How long after the first command the second one is typed, in milliseconds. */
  readonly secondAfterMs: number;
}

/** Who types what. */
const CONTENDERS = [
  { title: "alice", identity: "alice", release: "1.4" },
  { title: "ci-7", identity: "ci-7", release: "1.5" },
] as const;

/**
 * Runs both contenders to their end.
 *
 * @param options what to run, and for how long.
 * @returns both terminals, with every line as it was written.
 * @throws {Error} one of them failed.
 */
export async function record({ klatch, workMs, secondAfterMs }: RecordOptions): Promise<readonly Terminal[]> {
  const server = await startSandbox({});
  const dir = await Deno.makeTempDir({ prefix: "klatch-picture-" });
  try {
    const kubeconfig = `${dir}/kubeconfig`;
    await Deno.writeTextFile(kubeconfig, server.kubeconfig());
    const script = `#!/bin/sh\necho "deploying $1, token $KLATCH_TOKEN"\nsleep ${
      workMs / 1000
    }\necho "done"\n`;
    await Deno.writeTextFile(`${dir}/deploy.sh`, script, { mode: 0o755 });
    const beganMs = performance.now();
    const terminals = CONTENDERS.map(async ({ title, identity, release }, i) => {
      await new Promise((resolve) => setTimeout(resolve, i * secondAfterMs));
      const args = ["run", "deploy", "--reason", `release ${release}`, "--", "./deploy.sh", release];
      const typed = `$ klatch run deploy --reason "release ${release}" -- ./deploy.sh ${release}`;
      const lines: Line[] = [{ atMs: performance.now() - beganMs, text: typed }];
      const [program = "", ...first] = klatch;
      const child = new Deno.Command(program, {
        args: [...first, ...args],
        cwd: dir,
        env: { KUBECONFIG: kubeconfig, KLATCH_IDENTITY: identity },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const collect = async (stream: ReadableStream<Uint8Array>) => {
        for await (const text of linesOf(stream)) lines.push({ atMs: performance.now() - beganMs, text });
      };
      const [{ code }] = await Promise.all([child.status, collect(child.stdout), collect(child.stderr)]);
      if (code !== 0) throw new Error(`${typed} ended with ${code}: ${lines.at(-1)?.text}`);
      return { title, lines };
    });
    return await Promise.all(terminals);
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + piece).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

/**
 * `deno task screens`: makes the screens in docs/operations.md and docs/history.svg anew, from real runs of dist/klatch on the
 * embedded API server. A screen stands in the first block behind a comment that names it:
 *
 *     <!-- made by deno task screens: NAME -->
 *
 * @module
 */
import type { LockStatus } from "../lib/inspect/status.ts";
import { startSandbox } from "../lib/sandbox/mod.ts";

/** The screens by name, and the timeline. */
export interface Screens {
  readonly texts: Readonly<Record<string, string>>;
  readonly svg: string;
}

const BLOCK = /(<!-- made by deno task screens: ([\w-]+) -->\n+```text\n)[^]*?(```)/g;

/**
 * Runs klatch and takes what it prints.
 *
 * @param klatch the path of the binary.
 */
export async function record(klatch: string): Promise<Screens> {
  const sandbox = await startSandbox();
  const dir = await Deno.makeTempDir({ prefix: "klatch-screens-" });
  const started: Deno.ChildProcess[] = [];
  try {
    await Deno.writeTextFile(`${dir}/config`, sandbox.kubeconfig());
    const options = (...args: string[]) => ({
      args,
      clearEnv: true,
      env: { KUBECONFIG: `${dir}/config`, PATH: Deno.env.get("PATH") ?? "", USER: "ann" },
    });
    const show = async (...args: string[]) => {
      const { stdout } = await new Deno.Command(klatch, { ...options(...args), stderr: "null" }).output();
      return new TextDecoder().decode(stdout);
    };
    const run = (identity: string, ...more: string[]) => {
      const words = ["run", "deploy", "-i", identity, "--strategy", "ticket", "-q", ...more];
      started.push(new Deno.Command(klatch, { ...options(...words), stdin: "null" }).spawn());
    };
    /** Waits until one holds the lock, so many wait, and the rest is right as well. */
    const until = async (waiters: number, isRight: (lock: LockStatus) => boolean = () => true) => {
      for (;;) {
        const lock = JSON.parse(await show("status", "deploy", "--strategy", "ticket", "-o", "json"));
        if (lock.holders.length === 1 && lock.waiters.length === waiters && isRight(lock)) return;
      }
    };
    run("ci-7", "--reason", "release 1.4", "--", "sleep", "1000");
    await until(0);
    for (const [i, name] of ["ci-8", "ci-9", "ci-10"].entries()) {
      run(name, "--", "sleep", "1.5");
      await until(i + 1);
    }
    // The first renewal notes the token.
    await until(3, ({ holders: [holder] }) => holder?.token !== undefined);
    const status = await show("status", "deploy");
    const doctor = await show("doctor", "deploy", "--strategy", "ticket");
    const bad = await show("doctor", "--kubeconfig", "/nonesuch/config");
    await show("break", "deploy", "--yes", "--reason", "ci-7 hangs");
    await Promise.all(started.map(({ status }) => status));
    const texts = { status, doctor, "doctor-bad": bad, history: await show("history", "deploy") };
    const plain = Object.entries(texts).map(([name, text]) => [name, normalized(text, dir)]);
    return { texts: Object.fromEntries(plain), svg: await show("history", "deploy", "-o", "svg") };
  } finally {
    for (const child of started) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await sandbox.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

/** A screen without the names of this machine. */
function normalized(text: string, dir: string): string {
  return text.replaceAll(dir, "/home/ann/.kube").replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:8001")
    .replaceAll(`@${Deno.hostname()}`, "@laptop");
}

/** The screens of a page by name, as it has them now. */
export function screensIn(page: string): Map<string, string> {
  return new Map(
    [...page.matchAll(BLOCK)].map(([block, head = "", name = ""]) => [name, block.slice(head.length, -3)]),
  );
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const { texts, svg } = await record(new URL("dist/klatch", root).pathname);
  const path = new URL("docs/operations.md", root);
  const page = await Deno.readTextFile(path);
  const made = page.replace(
    BLOCK,
    (_, head: string, name: string, end: string) => head + (texts[name] ?? "") + end,
  );
  await Deno.writeTextFile(path, made);
  await Deno.writeTextFile(new URL("docs/history.svg", root), svg);
}

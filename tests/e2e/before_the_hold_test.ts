/**
 * What comes before a lock is held, or before it is shown: a configuration that is not there yet, an exec plugin that
 * hangs, an API server that does not answer. The time to wait bounds all of it, and a signal ends it.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { after, describe, it } from "@std/testing/bdd";
import { until } from "../contract/bench.ts";
import { endKlatchProcesses, markedProcesses, type RunningKlatch, spawnKlatch } from "../support/binary.ts";
import { commandLine } from "../support/marked_processes.ts";
import { leftovers, linesOf, noBinary } from "./place.ts";

/** A kubeconfig for a server, with a plugin for credentials if there is one. */
function kubeconfig(server: string, plugin?: string): string {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "sh",
    args: ["-c", plugin],
    interactiveMode: "Never",
  };
  return JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    clusters: [{ name: "x", cluster: { server } }],
    users: [{ name: "x", user: plugin === undefined ? {} : { exec } }],
  });
}

/** A command line of klatch. */
interface Line {
  readonly title: string;
  /** Its words; the kubeconfig's path is put in the place of `KUBECONFIG`. */
  readonly words: readonly string[];
  /** The exit status after TERM. */
  readonly stopped: number;
  /** What limits the wait to 700 ms, and the exit status then; nothing if the tool has no such flag. */
  readonly limited?: { readonly flags: readonly string[]; readonly status: number };
}

const RUN = ["run", "x", "--kubeconfig", "KUBECONFIG"];
const LINES: readonly Line[] = [
  {
    title: "run",
    words: [...RUN, "--", "true"],
    stopped: 143,
    limited: { flags: ["-w", "700ms"], status: 124 },
  },
  {
    title: "run with -E",
    words: [...RUN, "-E", "9", "--", "true"],
    stopped: 143,
    limited: { flags: ["-w", "700ms"], status: 9 },
  },
  {
    title: "acquire",
    words: ["acquire", "x", "--kubeconfig", "KUBECONFIG", "--follow", `${Deno.pid}`],
    stopped: 143,
    limited: { flags: ["-w", "700ms"], status: 124 },
  },
  {
    title: "klock",
    words: ["as", "klock", "--kubeconfig", "KUBECONFIG", "--", "true"],
    stopped: 1,
    limited: { flags: ["-w", "700ms"], status: 1 },
  },
  {
    title: "kubelock",
    words: ["as", "kubelock", "--kubeconfig", "KUBECONFIG", "true"],
    stopped: 143,
  },
  {
    title: "kube-lock",
    words: ["as", "kube-lock", "default", "x", "--kubeconfig-path", "KUBECONFIG"],
    stopped: 2,
    limited: { flags: ["--polling-timeout", "700ms"], status: 2 },
  },
  {
    title: "kube-lock --unlock",
    words: ["as", "kube-lock", "default", "x", "--unlock", "--kubeconfig-path", "KUBECONFIG"],
    stopped: 2,
  },
  { title: "status", words: ["status", "x", "--kubeconfig", "KUBECONFIG"], stopped: 143 },
  { title: "list", words: ["list", "--kubeconfig", "KUBECONFIG"], stopped: 143 },
  { title: "watch", words: ["watch", "x", "--kubeconfig", "KUBECONFIG"], stopped: 0 },
  { title: "watch of all", words: ["watch", "--kubeconfig", "KUBECONFIG"], stopped: 0 },
  { title: "break", words: ["break", "x", "--kubeconfig", "KUBECONFIG", "--yes"], stopped: 143 },
  { title: "rbac", words: ["rbac", "x", "--kubeconfig", "KUBECONFIG"], stopped: 143 },
];

/** Something that never ends by itself. */
interface Obstacle {
  readonly title: string;
  /** Which command lines meet it in a way of their own. */
  readonly lines: (line: Line) => boolean;
  /** What to give as the kubeconfig, and whether klatch has met it. */
  meet(): Promise<{ readonly path: string; met(klatch: RunningKlatch): boolean | Promise<boolean> }>;
}

describe("what never comes before a lock is held or shown", { skip: noBinary }, () => {
  const dir = Deno.makeTempDirSync({ prefix: "klatch-e2e-" });
  const open = new Set<Disposable>();
  let count = 0;
  after(async () => {
    endKlatchProcesses();
    for (const each of open) each[Symbol.dispose]();
    await Deno.remove(dir, { recursive: true });
  });

  async function file(text: string): Promise<string> {
    const path = `${dir}/${count++}`;
    await Deno.writeTextFile(path, text);
    return path;
  }

  const obstacles: readonly Obstacle[] = [
    {
      title: "an exec plugin that hangs",
      lines: ({ title }) => title !== "rbac",
      async meet() {
        const started = `${dir}/started-${count++}`;
        const path = await file(kubeconfig("https://127.0.0.1:1", `touch ${started}; sleep 1000; exit`));
        return { path, met: async () => (await Deno.stat(started).catch(() => undefined)) !== undefined };
      },
    },
    {
      title: "a FIFO that nobody writes to",
      lines: ({ title }) => ["run", "acquire", "kube-lock", "status", "rbac"].includes(title),
      async meet() {
        const path = `${dir}/fifo-${count++}`;
        await new Deno.Command("mkfifo", { args: [path] }).output();
        return { path, met: ({ pid }) => hasOpen(pid, path) };
      },
    },
    {
      title: "an API server that never answers",
      lines: ({ title }) => !["run with -E", "kubelock", "watch of all", "rbac"].includes(title),
      async meet() {
        const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        open.add(listener);
        let met = false;
        (async () => {
          for await (const conn of listener) {
            open.add(conn);
            met = true;
          }
        })();
        const path = await file(kubeconfig(`http://127.0.0.1:${listener.addr.port}`));
        return { path, met: () => met };
      },
    },
  ];

  function start({ words }: Line, flags: readonly string[], path: string): RunningKlatch {
    const all = words.map((word) => word === "KUBECONFIG" ? path : word);
    const at = all.indexOf("--");
    const end = at < 0 ? all.length : at;
    return spawnKlatch([...all.slice(0, end), ...flags, ...all.slice(end)], {
      env: { XDG_RUNTIME_DIR: dir },
    });
  }

  for (const obstacle of obstacles) {
    it(`ends with the time to wait: ${obstacle.title}`, async () => {
      await Promise.all(
        LINES.filter(obstacle.lines).map(async (line) => {
          if (line.limited === undefined) return;
          const { path } = await obstacle.meet();
          const { code, stderr } = await start(line, line.limited.flags, path).finished;
          assertEquals(code, line.limited.status, `${line.title}: ${stderr}`);
          assertMatch(linesOf(stderr).at(-1) ?? "", /(within|timeout after) 0\.7 s: /, line.title);
        }),
      );
      await until(() => leftovers().length === 0);
    });

    it(`ends at a signal: ${obstacle.title}`, async () => {
      await Promise.all(
        LINES.filter(obstacle.lines).map(async (line) => {
          const { path, met } = await obstacle.meet();
          const klatch = start(line, [], path);
          await until(() => met(klatch));
          klatch.signal("SIGTERM");
          const { code, signal, stderr } = await klatch.finished;
          assertEquals([code, signal], [line.stopped, null], `${line.title}: ${stderr}`);
          assertMatch(
            linesOf(stderr).at(-1) ?? "",
            line.stopped === 0 ? /^$/ : /stopped.*TERM came$/,
            line.title,
          );
        }),
      );
      await until(() => leftovers().length === 0);
    });
  }
});

/** Whether klatch, or the keeper that it has started, has a file open. */
function hasOpen(pid: number, path: string): boolean {
  const pids = [pid, ...markedProcesses().filter((each) => commandLine(each)?.endsWith(" keeper"))];
  return pids.some((each) => {
    try {
      return [...Deno.readDirSync(`/proc/${each}/fd`)].some(({ name }) =>
        Deno.readLinkSync(`/proc/${each}/fd/${name}`) === path
      );
    } catch {
      return false;
    }
  });
}

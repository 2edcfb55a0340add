/**
 * Wrong command lines: each is refused in one line that says what was meant, with status 125, before anything is
 * touched.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { endKlatchProcesses, runKlatch, spawnKlatch } from "../support/binary.ts";
import { freePort } from "../support/control_plane_servers.ts";
import { kubeconfigText } from "../support/kubeconfig_text.ts";
import { until } from "../support/processes.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { linesOf, noBinary } from "./place.ts";

/** What is wrong, the words after `klatch`, and what the line must say. `COMMAND` stands for a command to run. */
const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    "an unknown flag",
    ["run", "x", "--namspace", "y", "--", "COMMAND"],
    /--namspace.*did you mean --namespace\?/,
  ],
  ["an unknown flag with a value", ["run", "x", "--wiat=0", "--", "COMMAND"], /--wiat;.*--wait/],
  ["an unknown letter", ["run", "x", "-z", "--", "COMMAND"], /unknown flag -z/],
  ["a missing name", ["run", "--", "COMMAND"], /name is missing.*klatch run NAME/],
  ["an empty name", ["run", "", "--", "COMMAND"], /the lock name ""/],
  ["nothing at all", ["run"], /name is missing/],
  ["a missing command", ["run", "x"], /command is missing/],
  ["a missing command after --", ["run", "x", "--"], /command is missing/],
  ["an empty command", ["run", "x", "--", ""], /command is empty/],
  ["a command without --", ["run", "x", "COMMAND"], /unexpected word "COMMAND".*put --/],
  ["a word before --", ["run", "x", "y", "--", "COMMAND"], /unexpected word "y"/],
  ["an upper-case lock name", ["run", "Deploy", "--", "COMMAND"], /"Deploy".*lower-case/],
  ["a lock name that is too long", ["run", "a".repeat(254), "--", "COMMAND"], /at most 253/],
  ["a lock name with a slash", ["run", "a/b", "--", "COMMAND"], /"a\/b"/],
  ["a lock name that leads elsewhere", ["run", "..", "--", "COMMAND"], /"\.\."/],
  ["a lock name with a line break", ["run", "a\nb", "--", "COMMAND"], /"a\\nb"/],
  ["an upper-case namespace", ["run", "x", "-n", "Team", "--", "COMMAND"], /"Team".*namespace/],
  ["a namespace with a dot", ["run", "x", "-n", "a.b", "--", "COMMAND"], /"a\.b".*namespace/],
  ["a negative duration", ["run", "x", "--wait=-1s", "--", "COMMAND"], /--wait "-1s" is negative/],
  ["a negative duration as a word", ["run", "x", "-w", "-1", "--", "COMMAND"], /--wait "-1" is negative/],
  ["a duration that is none", ["run", "x", "-w", "soon", "--", "COMMAND"], /--wait "soon" is not a duration/],
  ["a duration in unknown units", ["run", "x", "-w", "1d", "--", "COMMAND"], /--wait "1d"/],
  ["a duration with spaces", ["run", "x", "-w", "1 s", "--", "COMMAND"], /--wait "1 s"/],
  ["an empty duration", ["run", "x", "--wait=", "--", "COMMAND"], /--wait/],
  ["a flag without its value", ["run", "x", "-w", "--", "COMMAND"], /--wait needs a value/],
  ["a flag without its value before a flag", ["run", "x", "--reason", "-q", "--", "COMMAND"], /--reason/],
  [
    "durations out of order",
    ["run", "x", "--lease-duration", "5s", "--", "COMMAND"],
    /lease duration 5 s, renew deadline 10 s, retry period 2 s; .*--lease-duration.*--renew-deadline.*--retry-period/,
  ],
  [
    "a retry period that is too long",
    ["run", "x", "--retry-period", "9s", "--", "COMMAND"],
    /retry period 9 s; .*--retry-period/,
  ],
  [
    "a retry period of 0",
    ["run", "x", "--retry-period", "0", "--", "COMMAND"],
    /retry period 0 s; .*--retry-period/,
  ],
  ["a label without a value", ["run", "x", "--labels", "team", "--", "COMMAND"], /"team" is not a label/],
  ["a label that Kubernetes refuses", ["run", "x", "--labels", "a=b c", "--", "COMMAND"], /"a=b c"/],
  ["a bad label key", ["run", "x", "--labels=-a=b", "--", "COMMAND"], /"-a=b"/],
  ["an exit status that is none", ["run", "x", "-E", "256", "--", "COMMAND"], /"256" is not an exit status/],
  ["an exit status in words", ["run", "x", "-E", "nine", "--", "COMMAND"], /"nine" is not an exit status/],
  ["a negative exit status", ["run", "x", "-E=-1", "--", "COMMAND"], /-1/],
  ["an unknown signal", ["run", "x", "-s", "TREM", "--", "COMMAND"], /"TREM" is not a signal/],
  ["a signal out of range", ["run", "x", "-s", "65", "--", "COMMAND"], /"65" is not a signal/],
  ["an unknown strategy", ["run", "x", "--strategy", "leese", "--", "COMMAND"], /"leese".*lease/],
  ["an empty identity", ["run", "x", "--identity=", "--", "COMMAND"], /--identity is empty/],
  ["an unknown format", ["run", "x", "-o", "yaml", "--", "COMMAND"], /"yaml".*text, json or github/],
  ["a value for a switch", ["run", "x", "--cleanup=maybe", "--", "COMMAND"], /--cleanup is "maybe"/],
  ["an empty duration as a word", ["run", "x", "-w", "", "--", "COMMAND"], /--wait "" is not a duration/],
  ["an empty namespace", ["run", "x", "-n", "", "--", "COMMAND"], /""/],
  ["no command of klatch's", [], /klatch help/],
  ["an unknown command of klatch's", ["rnu", "x", "--", "COMMAND"], /"rnu".*klatch run\?/],
  ["help on an unknown command", ["help", "rnu"], /"rnu".*klatch run\?/],
  ["a bad port", ["sandbox", "--port", "65536", "--", "COMMAND"], /--port "65536"/],
  ["a word for the sandbox", ["sandbox", "COMMAND"], /"COMMAND".*put --/],
];

describe("a wrong command line", { skip: noBinary }, () => {
  let dir: string;
  let proxy: TcpProxy;
  let env: Record<string, string>;
  before(async () => {
    dir = await Deno.makeTempDir({ prefix: "klatch-e2e-" });
    // Nobody is behind it: whoever comes is turned away, and counted.
    proxy = await TcpProxy.start(`http://127.0.0.1:${freePort()}`);
    const url = `http://127.0.0.1:${proxy.port}`;
    await Deno.writeTextFile(
      `${dir}/config`,
      kubeconfigText({ url, user: "u", credentials: { token: "t" } }),
    );
    await Deno.writeTextFile(`${dir}/ran.sh`, "#!/bin/sh\n>>ran\n", { mode: 0o755 });
    env = { KUBECONFIG: `${dir}/config` };
  });
  after(async () => {
    endKlatchProcesses();
    await proxy.close();
    await Deno.remove(dir, { recursive: true });
  });

  for (const [what, words, says] of REFUSED) {
    it(`is one with ${what}`, async () => {
      const given = words.map((word) => word === "COMMAND" && words.includes("--") ? `${dir}/ran.sh` : word);
      const before = proxy.connections;
      const { code, stdout, stderr } = await runKlatch(given, { env, cwd: dir });
      assertEquals([code, stdout], [125, ""], stderr);
      assertMatch(stderr, says);
      assertMatch(stderr, /^klatch: /);
      assertEquals(linesOf(stderr).length, 1, stderr);
      assertEquals(proxy.connections, before, "the API server was talked to");
      assertEquals(Array.from(Deno.readDirSync(dir), (entry) => entry.name).sort(), ["config", "ran.sh"]);
    });
  }

  it("is told from a right one by this very check", async () => {
    // Without it, the two looks for what must not be there could not fail.
    const before = proxy.connections;
    const running = spawnKlatch(["run", "x", "--", "true"], { env });
    await until(() => proxy.connections > before);
    running.signal("SIGKILL");
    await running.finished;
    assertEquals((await runKlatch(["-c", "./ran.sh"], { binary: "/bin/sh", cwd: dir })).code, 0);
    assert(Deno.statSync(`${dir}/ran`).isFile);
  });
});

/**
 * stdin, stdout, stderr and arguments of the command under `klatch run`: they pass unchanged, and when they are
 * broken or full the lock does not suffer.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { canRun } from "../support/processes.ts";
import { leftovers, linesOf, onServers, type Place } from "./place.ts";

/** Durations in which a hold that is not renewed is soon lost. */
const BRISK = ["--lease-duration", "2s", "--renew-deadline", "1500ms", "--retry-period", "300ms"];

const LINES = Array.from({ length: 10_000 }, (_, i) => `line ${i} — ünïcödé\t${"x".repeat(i % 97)}\n`).join(
  "",
);

const noFull = canRun("test", "-w", "/dev/full") ? undefined : "needs /dev/full";

onServers("standard streams", (test) => {
  test("pass 10,000 lines unchanged", async (place) => {
    const { code, stdout } = await place.run(["-q"], ["cat"], { stdin: { text: LINES } });
    assertEquals(code, 0);
    assert(stdout === LINES, `${stdout.length} of ${LINES.length} characters`);
  });

  test("leave all of stdin to the command, from the first byte", async (place) => {
    const running = place.spawn(["-q"], ["sh", "-c", "read a; echo $a; cat"], { stdin: "open" });
    await running.write("first\nsec");
    assertEquals(await running.line("stdout", /./), "first");
    await running.write("ond\n");
    await running.closeStdin();
    assertEquals((await running.finished).stdout, "first\nsecond\n");
  });

  for (
    const [what, redirection, skip] of [
      ["stderr is closed", "2>&-"],
      ["stderr is a full disk", "2>/dev/full", noFull],
      ["stdin is closed", "<&-"],
      ["stdin, stdout and stderr are closed", "<&- >&- 2>&-"],
    ] as const
  ) {
    test(`run the command, with the right status, when ${what}`, async (place) => {
      const command = ["sh", "-c", `echo "$KLATCH_TOKEN" >'${place.file("ran")}'; exit 3`];
      const { code, stderr } = await place.shell(`"$@" ${redirection}`, [], command).finished;
      assertEquals(code, 3, stderr);
      assert(/^\d+\n$/.test(await Deno.readTextFile(place.file("ran"))));
      assertEquals(await place.holders(), []);
    }, skip);
  }

  test("carry nothing of the runtime's own, whatever its environment variables say", async (place) => {
    const env = {
      DENO_LOG: "trace",
      DENO_LOG_STYLE: "always",
      DENO_TOKIO_METRICS: "1",
      DENO_TOKIO_METRICS_INTERVAL: "1",
      DENO_TRACE_PERMISSIONS: "1",
      DENO_UNSTABLE_FFI_TRACE_TURBO: "1",
      DENO_SERVE_ADDRESS: "nonsense",
      RUST_LOG: "trace",
      NODE_DEBUG: "*",
    };
    const { code, stdout, stderr } = await place.run(["-o", "json"], ["printenv", "DENO_LOG"], { env });
    assertEquals([code, stdout], [0, "trace\n"], stderr);
    assertEquals(linesOf(stderr).map((line) => JSON.parse(line).event), ["acquired", "released"]);
    const sandbox = await place.klatch(["sandbox", "--", "true"], { env }).finished;
    assertEquals([sandbox.code, sandbox.stderr], [0, ""]);
  });

  for (const redirection of ["2>&-", ...(noFull === undefined ? ["2>/dev/full"] : [])]) {
    test(`tell a failure by the status at least, under ${redirection}`, async (place) => {
      await place.holder();
      const { code } = await place.shell(`"$@" ${redirection}`, ["-w", "0"], ["true"]).finished;
      assertEquals(code, 124);
    });
  }

  test("are the command's own business when nobody reads stdout", async (place) => {
    const line = `{ "$@"; echo $? >'${place.file("status")}'; } | head -n 1`;
    const { stdout } = await place.shell(line, ["-q"], ["yes"]).finished;
    assertEquals(stdout, "y\n");
    assertEquals(await Deno.readTextFile(place.file("status")), "141\n");
    assertEquals(await place.holders(), []);
  });

  test("do not stop renewals when stderr is a full pipe that nobody reads", async (place) => {
    // A pipe holds 65,536 bytes (pipe(7)); the shell keeps it open at both ends and reads nothing.
    const fill = `mkfifo '${place.file("pipe")}'; exec 3<>'${
      place.file("pipe")
    }'; head -c 65536 /dev/zero >&3`;
    // klatch speaks before the command is started, and has that line on its hands all the while.
    const command = ["sh", "-c", "echo in; sleep 6; echo out"];
    const running = place.shell(`${fill}; exec "$@" 2>&3`, ["-v", ...BRISK], command);
    await running.line("stdout", /in/);
    const first = (await place.bench.object()).metadata.resourceVersion;
    const { code, stdout } = await running.finished;
    assertEquals([code, stdout], [0, "in\nout\n"]);
    const last = (await place.bench.object()).metadata.resourceVersion;
    assert(Number(last) > Number(first) + 2, `${first} ${last}`);
    assertEquals(leftovers(), []);
    assertEquals(await place.holders(), []);
  });
});

onServers("arguments", (test) => {
  test("pass unchanged", async (place) => {
    const words = [
      "a b",
      "",
      "'",
      '"',
      "\\",
      "$HOME",
      "`id`",
      "*",
      "line\nbreak",
      "tab\t",
      "ünï→😀",
      "--",
      "-q",
    ];
    assertEquals(await passed(place, words), words);
    assertEquals(await passed(place, ["--", "--wait", "0", "--help"]), ["--", "--wait", "0", "--help"]);
  });

  test("pass in great number and length", async (place) => {
    const words = Array.from({ length: 5_000 }, (_, i) => `${i}`);
    assertEquals(await passed(place, [...words, "x".repeat(100_000)]), [...words, "x".repeat(100_000)]);
  });

  test("that are not UTF-8 pass unchanged, or nothing is run", async (place) => {
    const line = `"$@" "$(printf 'a\\377b')"`;
    const { code, stdout } = await place.shell(line, ["-q"], ["sh", "-c", 'printf %s "$0" | od -An -tx1'])
      .finished;
    assertEquals([code === 0, stdout.trim()], [code === 0, code === 0 ? "61 ff 62" : ""]);
  });

  test("come with an environment that passes unchanged, UTF-8 or not, and the same directory", async (place) => {
    const line = `cd '${place.dir}'; ODD="$(printf 'a\\377b')" exec "$@"`;
    const command = ["sh", "-c", 'printf %s "$ODD" | od -An -tx1; pwd'];
    const { code, stdout, stderr } = await place.shell(line, ["-q"], command).finished;
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout, ` 61 ff 62\n${Deno.realPathSync(place.dir)}\n`);
  });
});

/** The words as the command saw them. */
async function passed(place: Place, words: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await place.run(["-q"], ["printf", "%s\\0", ...words]);
  assertEquals([code, stderr], [0, ""]);
  return stdout.split("\0").slice(0, -1);
}

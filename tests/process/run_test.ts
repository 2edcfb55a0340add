/**
 * Starting a command: what it gets, and what its exit status becomes. On real processes.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type ErrorCode, exitStatus, KlatchError } from "../../lib/errors.ts";
import { type NotPortable, portableIt } from "../support/layer.ts";
import { canRun, probeWords, run, Running, shellLine, startProbe } from "../support/processes.ts";

/** What the portable layer does not promise. */
const NOT_PORTABLE: NotPortable = {
  "has default dispositions and an empty mask": "a mask of blocked signals is passed on",
  "keeps supplementary groups as root": "the runtime drops them",
};

const isRoot = Deno.uid() === 0;

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function failure(argv: string[]): Promise<KlatchError> {
  const error = await assertRejects(() => run(argv), KlatchError);
  assertEquals(error.line.includes("\n"), false);
  return error;
}

function assertFailure(error: KlatchError, code: ErrorCode, status: number, named: string): void {
  assertEquals([error.code, exitStatus(error)], [code, status]);
  assertStringIncludes(error.line, named);
}

describe("the exit status", () => {
  for (const code of [0, 1, 42, 255]) {
    it(`is the command's own: ${code}`, async () => {
      assertEquals(await run(["sh", "-c", `exit ${code}`]), { status: code });
    });
  }

  for (const signal of [1, 2, 3, 9, 15]) {
    it(`is 128+n when signal n ended it: ${signal}`, async () => {
      assertEquals(await run(["sh", "-c", `kill -${signal} $$`]), { status: 128 + signal, signal });
    });
  }

  it("is 127 for a command that is not there, which the error names", async () => {
    assertFailure(await failure(["no-such-command-anywhere"]), "not-found", 127, "no-such-command-anywhere");
    assertFailure(await failure(["./no/such/file"]), "not-found", 127, "./no/such/file");
    assertFailure(await failure([""]), "not-found", 127, '""');
  });

  it("is 127 for a script whose interpreter is not there", () =>
    withDirectory(async (directory) => {
      await Deno.writeTextFile(`${directory}/script`, "#!/no/such/interpreter\n", { mode: 0o755 });
      assertFailure(await failure([`${directory}/script`]), "not-found", 127, "interpreter");
    }));

  it("is 126 for a command that cannot be executed, which the error names", () =>
    withDirectory(async (directory) => {
      await Deno.writeTextFile(`${directory}/plain`, "echo never\n", { mode: 0o644 });
      assertFailure(await failure([`${directory}/plain`]), "not-executable", 126, `${directory}/plain`);
      assertFailure(await failure([directory]), "not-executable", 126, directory);
      assertFailure(await failure([`${directory}/plain/below`]), "not-executable", 126, "not a directory");
    }));

  it("is 126 for arguments that are too long", async () => {
    assertFailure(await failure(["true", "x".repeat(4_000_000)]), "not-executable", 126, "too long");
  });

  it("is a failure of usage for no command and for a NUL in an argument", async () => {
    assertEquals((await failure([])).code, "usage");
    assertEquals((await failure(["true", "a\0b"])).code, "usage");
  });
});

describe("the command", () => {
  it("that is a script without #! is run by /bin/sh, by path and through PATH", () =>
    withDirectory(async (directory) => {
      await Deno.writeTextFile(`${directory}/bare-script`, 'exit "$#"\n', { mode: 0o755 });
      assertEquals(await run([`${directory}/bare-script`, "a", "b c"]), { status: 2 });
      const words = probeWords({}, ["bare-script", "1", "2", "3"]);
      await using probe = new Running(words, { PATH: `/nowhere:${directory}:${Deno.env.get("PATH")}` });
      assertEquals((await probe.end()).code, 3);
    }));

  it("gets its arguments exactly", async () => {
    const args = [
      "",
      "b c",
      "line\nbreak",
      "tab\t",
      "ünïcødé 🔒",
      '"',
      "'",
      "\\",
      "$HOME",
      "*",
      "--",
      "-x",
      "a=b",
      "",
    ];
    await using probe = startProbe({}, "sh", "-c", 'printf "%s\\0" "$@"', "sh", ...args);
    const { code, out } = await probe.end();
    assertEquals([code, out.split("\0")], [0, [...args, ""]]);
  });

  it("gets the environment byte for byte, with additions that replace", () =>
    withDirectory(async (directory) => {
      const start = `BAD="$(printf 'a\\377\\nb')"; EMPTY=; KLATCH_LOCK=old; export BAD EMPTY KLATCH_LOCK
        cp /proc/self/environ ${directory}/before
        exec ${shellLine(probeWords({ run: "h" }, ["cp", "/proc/self/environ", `${directory}/after`]))}`;
      await using probe = new Running(["sh", "-c", start]);
      assertEquals(await probe.end(), { code: 0, out: "", err: "" });
      const latin1 = new TextDecoder("latin1");
      const [before, after] = ["before", "after"].map((name) =>
        latin1.decode(Deno.readFileSync(`${directory}/${name}`)).split("\0")
          .filter((entry) => entry !== "" && !entry.startsWith("_=")).sort()
      );
      assert(before?.includes("BAD=a\xff\nb"));
      const kept = before!.filter((entry) => !entry.startsWith("KLATCH_LOCK="));
      assertEquals(after, [...kept, "KLATCH_LOCK=probe", "KLATCH_RUN=h"].sort());
    }));

  it("reads klatch's standard input, to the last byte", async () => {
    await using probe = startProbe({}, "cat");
    const lines = Array.from({ length: 10_000 }, (_, i) => `line ${i}\n`).join("");
    const typing = probe.type(lines).then(() => probe.closeInput());
    const { code, out } = await probe.end();
    await typing;
    assertEquals(code, 0);
    assert(out === lines, `${out.length} of ${lines.length} characters came`);
  });

  it("has the files open that klatch was started with, and none of klatch's own", async () => {
    const list = ["ls", "-1", "/proc/self/fd"];
    await using direct = new Running(["sh", "-c", `exec 7</dev/null; exec ${shellLine(list)}`]);
    const expected = (await direct.end()).out;
    assertStringIncludes(expected, "7\n");
    await using probe = new Running([
      "sh",
      "-c",
      `exec 7</dev/null; exec ${shellLine(probeWords({}, list))}`,
    ]);
    assertEquals(await probe.end(), { code: 0, out: expected, err: "" });
  });

  portableIt(
    "has default dispositions and an empty mask, but ignores what klatch was started to ignore",
    NOT_PORTABLE,
    async () => {
      const words = shellLine(probeWords({}, ["cat", "/proc/self/status"]));
      const block = canRun("env", "--block-signal=USR1", "true") ? "env --block-signal=USR1" : "";
      await using probe = new Running(["sh", "-c", `trap '' QUIT HUP; exec ${block} ${words}`]);
      const { out } = await probe.end();
      // Signals 32 and up belong to the C library; PIPE, which the runtime ignores, is not ignored here.
      const masks = [...out.matchAll(/^(Sig(?:Blk|Ign|Cgt)):\s+([0-9a-f]+)$/gm)]
        .map(([, name, bits]) => [name, Number(BigInt(`0x${bits}`) & 0x7fff_ffffn)]);
      const hup = 1 << 0, quit = 1 << 2;
      assertEquals(masks, [["SigBlk", 0], ["SigIgn", hup | quit], ["SigCgt", 0]]);
    },
  );

  it("survives a hang-up under nohup, and so does klatch", async () => {
    const command = ["sh", "-c", "kill -HUP $$; kill -HUP $PPID; echo both live; exit 9"];
    await using probe = new Running(["sh", "-c", `trap '' HUP; exec ${shellLine(probeWords({}, command))}`]);
    assertEquals(await probe.end(), { code: 9, out: "both live\n", err: "" });
  });

  it(
    "keeps its exit status when klatch was started with CHLD ignored",
    { skip: !canRun("perl", "-e", "1") },
    async () => {
      const words = [
        "perl",
        "-e",
        "$SIG{CHLD} = 'IGNORE'; exec @ARGV",
        ...probeWords({}, ["sh", "-c", "exit 6"]),
      ];
      await using probe = new Running(words);
      assertEquals((await probe.end()).code, 6);
    },
  );

  const canSetGroups = isRoot && canRun("setpriv", "--groups", "4321,8765", "true");
  portableIt("keeps supplementary groups as root", NOT_PORTABLE, async () => {
    await using probe = new Running(["setpriv", "--groups", "4321,8765", ...probeWords({}, ["id", "-G"])]);
    assertEquals((await probe.end()).out.trim().split(" ").sort(), ["0", "4321", "8765"]);
  }, canSetGroups ? undefined : "needs root and setpriv");
});

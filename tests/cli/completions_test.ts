/**
 * Shell completions, asked of the shells themselves.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { COMMAND_NAMES, loadCommands } from "../../lib/cli/command.ts";
import { completionsFor, type Shell } from "../../lib/cli/completions.ts";
import { canRun } from "../support/processes.ts";

/** What a shell prints when it runs a script with the completions before it. */
async function run(shell: Shell, args: readonly string[], line: string): Promise<string> {
  const file = await Deno.makeTempFile();
  try {
    // A klatch that knows two locks, wherever the completions ask for them.
    const print = String.raw`printf 'lease/deploy\nsecret/drain\n'`;
    const fake = shell === "fish" ? `function klatch; ${print}; end\n` : `klatch() { ${print}; }\n`;
    await Deno.writeTextFile(file, `${fake}${completionsFor(shell, await loadCommands())}\n${line}\n`);
    const { stdout, stderr } = await new Deno.Command(shell, { args: [...args, file] }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    return new TextDecoder().decode(stdout).trim();
  } finally {
    await Deno.remove(file);
  }
}

describe("completions for bash", { skip: canRun("bash", "--version") ? false : "needs bash" }, () => {
  const complete = (...words: string[]) => {
    const list = words.map((word) => `'${word}'`).join(" ");
    const line = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _klatch; echo "\${COMPREPLY[*]}"`;
    return run("bash", ["--norc"], line);
  };
  it("complete commands", async () => {
    assertEquals((await complete("klatch", "")).split(" ").toSorted(), COMMAND_NAMES.toSorted());
    assertEquals(await complete("klatch", "ru"), "run");
  });
  it("complete the flags of a command", async () => {
    assertEquals(await complete("klatch", "run", "--lease"), "--lease-duration");
    assert((await complete("klatch", "break", "--")).split(" ").includes("--waiter"));
  });
  it("complete names of locks from the cluster", async () => {
    assertEquals(await complete("klatch", "status", "d"), "deploy drain");
  });
  it("leave the command after -- alone", async () => {
    assertEquals(await complete("klatch", "run", "x", "--", "--"), "");
  });
});

describe("completions for zsh", { skip: canRun("zsh", "--version") ? false : "needs zsh" }, () => {
  it("complete at the first call, sourced or as a file in fpath", async () => {
    const dir = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${dir}/_klatch`, completionsFor("zsh", await loadCommands()));
      for (const load of [`fpath=(${dir} $fpath)`, `SOURCE=${dir}/_klatch`]) {
        const init = `${load}; autoload -Uz compinit; compinit -D -u; [ -z "$SOURCE" ] || source $SOURCE`;
        // A terminal of zsh's own: completion is for interactive shells only.
        const script =
          `zmodload zsh/zpty; zpty z zsh -f; zpty -w z '${init}; echo begin'; zpty -r -m z out '*begin*begin*'
zpty -n -w z $'klatch acq\\t'; zpty -r -m z out '*klatch acquire*'; print -r -- done; zpty -d z`;
        const { stdout } = await new Deno.Command("timeout", { args: ["60", "zsh", "-f", "-c", script] })
          .output();
        assertEquals(new TextDecoder().decode(stdout), "done\n", load);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});

describe("completions for zsh and fish", () => {
  for (const [shell, args] of [["zsh", ["-n"]], ["fish", ["--no-execute"]]] as const) {
    it(
      `are a script that ${shell} can read`,
      { skip: canRun(shell, "--version") ? false : `needs ${shell}` },
      async () => {
        assertEquals(await run(shell, args, ""), "");
      },
    );
  }
  const noFish = canRun("fish", "--version") ? false : "needs fish";
  it("complete commands, flags and locks in fish", { skip: noFish }, async () => {
    const complete = (line: string) =>
      run("fish", [], `complete -C ${JSON.stringify(line)} | string split -f1 \\t`);
    assertEquals(await complete("klatch acq"), "acquire");
    assertEquals(await complete("klatch run --lease"), "--lease-duration");
    assertEquals(await complete("klatch status d"), "deploy\ndrain");
  });
  it("name every command for fish", async () => {
    const script = completionsFor("fish", await loadCommands());
    for (const name of COMMAND_NAMES) assert(script.includes(`-f -a ${name} -d `), name);
  });
});

/**
 * The command line without a cluster: its registry, help and errors.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { COMMAND_NAMES, loadCommand, loadCommands, parseFor } from "../../lib/cli/command.ts";
import { main } from "../../lib/cli/mod.ts";
import { holdFlags } from "../../lib/cli/run_options.ts";
import { systemClock } from "../../lib/clock.ts";
import { quietWorld } from "../support/quiet_host.ts";

describe("the registry of commands", () => {
  it("loads each command by its name", async () => {
    for (const name of COMMAND_NAMES) assertEquals((await loadCommand(name))?.name, name);
    for (const name of ["constructor", "__proto__", "", "Run"]) {
      assertEquals(await loadCommand(name), undefined);
    }
  });

  it("has examples for each command that the command accepts", async () => {
    for (const command of await loadCommands()) {
      assert(command.examples.length > 0, command.name);
      for (const { title, line } of command.examples) {
        assert(/^[A-Z].*[^.]$/.test(title), title);
        const [program, name, ...args] = line.split(/ (?=(?:[^"]*"[^"]*")*[^"]*$)/);
        if (program !== "klatch") continue;
        assertEquals(name, command.name);
        parseFor(command, args, () => undefined);
      }
    }
  });

  it("has no flag or letter twice in a command", async () => {
    for (const { name, flags } of await loadCommands()) {
      const keys = [
        ...flags.flatMap((flag) => [flag.name, ...flag.short === undefined ? [] : [flag.short]]),
        "help",
        "h",
      ];
      assertEquals(keys.toSorted(), [...new Set(keys)].toSorted(), name);
    }
  });
});

describe("the program", () => {
  it("reports a wrong command line in one line, with status 125", async () => {
    for (const args of [[], ["rum"], ["run"], ["run", "x", "--wiat"], ["help", "rum"], ["sandbox", "x"]]) {
      const { host, said, printed } = quietWorld();
      assertEquals(await main(args, host), 125);
      assertEquals(said.join("").split("\n").length, 2, said.join(""));
      assertEquals(printed, []);
    }
  });

  it("suggests the command that was meant, and none if nothing is near", async () => {
    const { host, said } = quietWorld();
    await main(["rum"], host);
    await main(["frobnicate"], host);
    assertStringIncludes(said[0] ?? "", "did you mean klatch run?");
    assertEquals(said[1], 'klatch: there is no command "frobnicate"; klatch help lists all commands\n');
  });

  it("reports a wrong command line as JSON if it asks for that before --", async () => {
    const ways: readonly (readonly [boolean, readonly string[], Record<string, string>?])[] = [
      [true, ["run", "x", "--output", "json", "--wiat"]],
      [true, ["run", "x", "--wiat", "--output=json", "--", "true"]],
      [true, ["run", "-o", "json"]],
      [true, ["run", "-qo=json"]],
      [true, ["rum", "-o", "json"]],
      [true, ["run"], { KLATCH_OUTPUT: "json" }],
      [false, ["run", "-o", "text"], { KLATCH_OUTPUT: "json" }],
      [false, ["run", "-o", "json", "-o", "text"]],
      [false, ["run", "-o", "yaml", "x", "--", "true"]],
      [false, ["run", "--", "true", "-o", "json"]],
      [false, ["run", "x", "-o"]],
    ];
    for (const [isJson, args, env] of ways) {
      const { host, said } = quietWorld({
        env: (name) => env?.[name],
        clock: { ...systemClock(), wall: () => 0 },
      });
      assertEquals(await main(args, host), 125);
      assertEquals(said.length, 1);
      const [line = ""] = said;
      if (!isJson) {
        assertStringIncludes(line, "klatch: ");
        continue;
      }
      const { message, ...rest } = JSON.parse(line);
      const nowhere = { lock: "", namespace: "", strategy: "" };
      assertEquals(rest, { time: "1970-01-01T00:00:00.000Z", event: "error", ...nowhere, code: "usage" });
      assert(message.length > 10, line);
    }
  });

  it("prints help on stdout, with every flag", async () => {
    for (const args of [["help", "run"], ["run", "--help"], ["run", "-h"]]) {
      const { host, printed } = quietWorld();
      assertEquals(await main(args, host), 0);
      for (const flag of holdFlags) assertStringIncludes(printed.join(""), `--${flag.name}`);
    }
  });

  it("prints a page of help for each command, in lines that fit, with the flags that it has", async () => {
    for (const command of COMMAND_NAMES) {
      const { host, printed, said } = quietWorld();
      assertEquals(await main(["help", command], host), 0, said.join(""));
      const page = printed.join("");
      assertStringIncludes(page, `klatch ${command}`);
      const takesDuration = (await loadCommand(command))?.flags.some(({ value }) => value === "DUR");
      assertEquals(page.includes("Durations"), takesDuration, command);
    }
    const { host, printed } = quietWorld();
    await main(["help"], host);
    assertEquals(COMMAND_NAMES.filter((command) => !printed.join("").includes(`klatch ${command}`)), []);
    for (const line of printed.join("").split("\n")) assert(line.length <= 100, line);
  });

  it("prints the help of as, and of a tool that it stands in for", async () => {
    for (
      const [args, says] of [[["as", "--help"], "klatch as "], [
        ["help", "kubelock"],
        "kubelock [flags]",
      ]] as const
    ) {
      const { host, printed } = quietWorld();
      assertEquals(await main(args, host), 0);
      assertStringIncludes(printed.join(""), says);
    }
  });
});

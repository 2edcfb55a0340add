/**
 * What the older tools' command lines mean, as far as it can be told without a cluster.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseGoFlags } from "../../lib/cli/compat/go_flags.ts";
import { holdByName, nonceOf, unlocked } from "../../lib/cli/compat/kube_lock_hold.ts";
import { TOOLS } from "../../lib/cli/compat/tools.ts";
import { main } from "../../lib/cli/mod.ts";
import { KlatchError } from "../../lib/errors.ts";
import { holdOf, type KubeObject } from "../../lib/lock.ts";
import { quietWorld } from "../support/quiet_host.ts";

async function call(calledAs: string, args: readonly string[]) {
  const { host, said, printed } = quietWorld({ calledAs });
  return { status: await main(args, host), said: said.join(""), printed: printed.join("") };
}

describe("klatch called by an older tool's name", () => {
  for (const tool of TOOLS) {
    it(`shows ${tool}'s help, by a path, by the bare name, and as klatch as ${tool}`, async () => {
      const help = await call(tool, ["--help"]);
      assertEquals([help.status, help.said], [0, ""]);
      assertStringIncludes(help.printed, `\n  ${tool} `);
      assertEquals(await call(`/usr/local/bin/${tool}`, ["--help"]), help);
      assertEquals(await call("./klatch", ["as", tool, "--help"]), help);
    });

    it(`says in one line, as ${tool}, what was wrong`, async () => {
      const { status, said } = await call(tool, ["--no-such-flag"]);
      assertEquals(status, tool === "kube-lock" ? 1 : 2);
      assertMatch(said, new RegExp(`^${tool}: unknown flag --no-such-flag.*\n$`));
    });
  }

  it("is itself by any other name", async () => {
    for (const name of ["klatch", "/opt/klock/klatch", "klock2", ""]) {
      assertStringIncludes((await call(name, ["version"])).printed, "klatch ");
    }
  });

  it("refuses a tool that it does not know", async () => {
    for (const args of [["as"], ["as", "flock"]]) {
      const { status, said } = await call("klatch", args);
      assertEquals(status, 125);
      assertStringIncludes(said, "klock, kubelock, kube-lock");
    }
  });
});

describe("Go's flags", () => {
  const flags = [{ name: "name", value: "NAME", help: "" }, { name: "help", short: "h", help: "" }];
  const parse = (...args: string[]) => parseGoFlags("tool", args, flags);

  it("have one dash or two, and their values after = or in the next word", () => {
    for (const args of [["-name", "x"], ["--name", "x"], ["-name=x"], ["--name=x"]]) {
      const { text, rest } = parse(...args, "ls", "-name", "y");
      assertEquals([text("name"), rest], ["x", ["ls", "-name", "y"]]);
    }
    assertEquals(parse("-name=").text("name"), "");
    assertEquals(parse("-name", "-x").text("name"), "-x");
    assertEquals(parse("-h").on("help"), true);
  });

  it("end at -- and at the first word that is none", () => {
    assertEquals(parse("--", "-name", "x").rest, ["-name", "x"]);
    assertEquals(parse("-", "-name").rest, ["-", "-name"]);
    assertEquals(parse().rest, []);
  });

  it("are refused where they are unknown or have no value", () => {
    assertThrows(() => parse("-nam", "x"), KlatchError, "unknown flag -nam");
    assertThrows(() => parse("-name"), KlatchError, "needs a value");
  });
});

describe("kube-lock's hold", () => {
  const lock = { namespace: "ns", name: "x" };
  const wish = { name: "a", reason: "why", slots: 2, create: true };
  const me = { identity: "a", nonce: nonceOf("a"), leaseDurationMs: 15_000, labels: {} };
  const noon = Date.parse("2026-01-02T12:00:00.750Z");

  function claimed(object: KubeObject | undefined, name = "a"): KubeObject {
    const mine = { ...me, identity: name, nonce: nonceOf(name) };
    const strategy = holdByName({ ...wish, name });
    const claim = strategy.claim(strategy.parse(object), lock, mine, () => false, noon);
    if (claim.kind !== "acquire") throw new Error(claim.kind);
    return claim.object;
  }
  const record = (object: KubeObject) => object.metadata.annotations?.["kube-lock"] ?? "";
  const older = (text: string): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...lock, annotations: { "kube-lock": text } },
  });

  it("is written letter by letter as kube-lock writes it", () => {
    assertEquals(
      record(claimed(undefined)),
      `{"max":2,"holders":{"a":{"date":"2026-01-02T12:00:00Z","reason":"why"}}}`,
    );
  });

  it("belongs to its name, and never expires", () => {
    const state = holdByName(wish).parse(claimed(undefined));
    assertEquals(holdOf(state, nonceOf("a"))?.leaseDurationMs, undefined);
    assertEquals(holdOf(state, nonceOf("b")), undefined);
  });

  it("is left as it is when it is claimed again", () => {
    const object = older(`{"max":1,"holders":{"a":{"date":"2018-08-19T19:14:24Z","reason":"x"}}}`);
    assertEquals(claimed(object), object);
  });

  it("keeps other holders, what kube-lock does not know, and the number of places", () => {
    const object = older(`{"max":3,"holders":{"b":{"date":"2018-08-19T19:14:24Z","reason":"x"}},"new":1}`);
    const { max, holders, new: kept } = JSON.parse(record(claimed(object)));
    assertEquals([max, Object.keys(holders), holders.b.reason, kept], [3, ["b", "a"], "x", 1]);
  });

  it("is given back by its name alone", () => {
    const both = claimed(claimed(undefined), "b");
    const rest = unlocked(both, "a");
    assertEquals(Object.keys(JSON.parse(record(rest ?? both)).holders), ["b"]);
    assertEquals(unlocked(both, "c"), undefined);
  });

  it("makes no ConfigMap unless it is told to", () => {
    const strategy = holdByName({ ...wish, create: false });
    assertThrows(
      () => strategy.claim(strategy.parse(undefined), lock, me, () => false, noon),
      KlatchError,
      "ns/x",
    );
  });
});

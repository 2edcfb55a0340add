/**
 * What a new strategy takes: one file, one line in a catalog, and the contract.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseFlags } from "../../lib/cli/flags.ts";
import { strategyChoice, strategyFlags } from "../../lib/cli/strategy_flags.ts";
import { KlatchError } from "../../lib/errors.ts";
import { strategies } from "../../lib/strategies/catalog.ts";
import { contract } from "../contract/suite.ts";
import { toy, toyCase } from "./toy.ts";

const catalog = [
  ...strategies,
  toy,
];

describe("a strategy that is added to the catalog", () => {
  const none = () => undefined;
  const choice = (args: string) =>
    strategyChoice(
      parseFlags({ command: "run", flags: strategyFlags(catalog) }, args.split(" "), none),
      none,
      catalog,
    );

  it("can be chosen on the command line, with flags of its own", () => {
    const { strategies, strategyOptions } = choice("--strategy toy --colour red");
    assertEquals([strategies, strategyOptions], [[toy], { colour: "red" }]);
    assert(strategyFlags(catalog).some(({ help }) => help === "toy: any colour so long as it is red"));
  });

  it("has flags that mean nothing to others", () => {
    assertThrows(() => choice("--colour red"), KlatchError, "--colour means nothing to the strategy lease");
  });

  it("is acquired in the order of its rank", () => {
    assertEquals(choice("--strategy lease,toy").strategies.map(({ name }) => name), ["lease", "toy"]);
    assertThrows(() => choice("--strategy toy,lease"), KlatchError, "in different orders");
  });
});

contract(toyCase);

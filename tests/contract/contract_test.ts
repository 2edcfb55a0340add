/**
 * The strategies of the catalog, held to the contract.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { strategies } from "../../lib/strategies/catalog.ts";
import { cases } from "./cases.ts";
import { contract } from "./suite.ts";

describe("the catalog", () => {
  it("has a case for every strategy", () => {
    assertEquals(cases.map(({ strategy }) => strategy.name), strategies.map(({ name }) => name));
  });

  it("gives every strategy a rank of its own", () => {
    assertEquals(new Set(strategies.map(({ rank }) => rank)).size, strategies.length);
  });
});

for (const each of cases) contract(each);

/**
 * The benchmark's arithmetic and its page. What it measures is not tested: it comes from the machine.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readLog } from "../../bench/contention.ts";
import { updatedPage } from "../../bench/page.ts";
import { atMost, ms, ratio, sectionText, table, times } from "../../bench/report.ts";
import { rows } from "../../bench/rows/mod.ts";
import { alternate, median, percentile } from "../../bench/statistics.ts";

/** 1 to n, in an order that is not theirs. */
const shuffled = (n: number) => Array.from({ length: n }, (_, i) => (i * 37) % n + 1);

describe("the median", () => {
  it("is the middle, or the mean of the two middles", () => {
    assertEquals([median([7]), median([3, 1, 2]), median([10, 1, 3, 2])], [7, 2, 2.5]);
  });
  it("compares figures as numbers and leaves them where they are", () => {
    const given = [100, 9, 20];
    assertEquals([median(given), given], [20, [100, 9, 20]]);
  });
  it("of nothing is an error", () => {
    assertThrows(() => median([]), RangeError);
  });
});

describe("a percentile", () => {
  it("is the nearest rank", () => {
    const hundred = shuffled(100), thousand = shuffled(1000);
    assertEquals([percentile(hundred, 99), percentile(thousand, 99), percentile(hundred, 50)], [99, 990, 50]);
    assertEquals([percentile(hundred, 100), percentile(hundred, 0.5)], [100, 1]);
  });
  it("is the largest of fewer than 100 where it is the 99th", () => {
    assertEquals([percentile([5], 99), percentile(shuffled(99), 99)], [5, 99]);
  });
  it("of nothing, or out of range, is an error", () => {
    assertThrows(() => percentile([], 99), RangeError);
    for (const percent of [0, -1, 101, NaN]) assertThrows(() => percentile([1], percent), RangeError);
  });
});

describe("measuring in turns", () => {
  it("lets everybody begin a round as often, and keeps figures apart", async () => {
    const order: string[] = [];
    const figures = await alternate(["a", "b", "c"], 3, (candidate) => {
      order.push(candidate);
      return Promise.resolve([order.length]);
    });
    assertEquals(order.join(""), "abcbcacab");
    assertEquals(figures, [[1, 6, 8], [2, 4, 9], [3, 5, 7]]);
  });
  it("ends with the first failure", async () => {
    await assertRejects(
      () => alternate(["a"], 2, () => Promise.reject(new Error("broken"))),
      Error,
      "broken",
    );
  });
});

describe("a table", () => {
  it("aligns its columns, figures to the right", () => {
    assertEquals(
      table(["name", "a figure"], [["one", "1.0 ms"], ["a | b", "12.0 ms"]]).split("\n"),
      ["| name   | a figure |", "| ------ | -------: |", "| one    |   1.0 ms |", "| a \\| b |  12.0 ms |"],
    );
  });
});

describe("a target", () => {
  it("is met up to its limit, and not beyond", () => {
    assertEquals(atMost("x", 15, 15, ms), { what: "x", target: "≤ 15.0 ms", measured: "15.0 ms", met: true });
    assertEquals(atMost("x", 15.01, 15, ms).met, false);
  });
  it("that was not measured is neither met nor not met", () => {
    const verdict = atMost("x", undefined, 15, ms);
    assertEquals([verdict.measured, verdict.met], ["not measured", undefined]);
    const text = sectionText({ notes: [], head: [], body: [], verdicts: [verdict] });
    assert(!/\bmet\b/.test(text), text);
  });
  it("is told in the section, in words", () => {
    const verdicts = [
      atMost("good", 1, 2, times),
      atMost("bad", 3, 2, times),
      atMost("worst", NaN, 2, times),
    ];
    const lines = sectionText({ notes: ["How."], head: ["a"], body: [["b"]], verdicts }).split("\n");
    const verdict = (what: string) => lines.find((line) => line.includes(what))?.split("|").at(-2)?.trim();
    assertEquals([verdict("good"), verdict("bad"), verdict("worst")], ["met", "**not met**", "**not met**"]);
  });
  it("compares with nothing where there is nothing to compare with", () => {
    assertEquals([ratio(3, 2), ratio(3, undefined), ratio(undefined, 2)], ["1.50 ×", "–", "–"]);
  });
});

describe("the log of commands under a lock", () => {
  const log = "enter first 1000000\nexit first 5000000\nenter 7 7500000\nexit 7 9000000\n";

  it("gives the gaps, who held, and the time from the release to the end", () => {
    assertEquals(readLog(log, 1), { gaps: [2.5], order: ["first", "7"], totalMs: 4 });
  });
  it("with commands that overlap is an error", () => {
    const lines = log.split("\n");
    assertThrows(() => readLog([lines[0], lines[2], lines[1], lines[3]].join("\n"), 1), Error, "overlapped");
  });
  it("without somebody who waited is an error", () => {
    assertThrows(() => readLog(log, 2), Error, "not all");
  });
});

describe("the page of results", () => {
  const entry = (name: string, text: string) => ({ name, title: `About ${name}`, text, origin: "_here_" });

  it("replaces what was measured again and keeps the rest, in the order of the rows", () => {
    const order = ["a", "b", "c"];
    let page = updatedPage("", [entry("c", "old c"), entry("a", "first a")], order);
    page = updatedPage(page, [entry("b", "first b"), entry("c", "new c")], order);
    assertEquals([...page.matchAll(/(first|old|new) \w$/gm)].map(([found]) => found), [
      "first a",
      "first b",
      "new c",
    ]);
    assertEquals(page.match(/^# /gm)?.length, 1);
    assertStringIncludes(page, "## About b\n\nfirst b\n\n_here_\n");
    assertEquals(updatedPage(page, [], order), page);
  });
});

describe("the rows", () => {
  it("have names of their own that a flag can list", () => {
    const names = rows.map(({ name }) => name);
    assertEquals(new Set(names).size, names.length);
    assert(names.every((name) => /^[a-z-]+$/.test(name)), names.join());
  });
});

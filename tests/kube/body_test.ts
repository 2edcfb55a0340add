/**
 * How much of an answer is read.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { bodyText, MAX_ERROR_BYTES, MAX_OBJECT_BYTES, TooLarge } from "../../lib/kube/body.ts";
import { lines } from "../../lib/kube/lines.ts";

/** A body without end, and how much of it was made. */
function endless(): { readonly body: ReadableStream<Uint8Array>; readonly made: () => number } {
  let made = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      made += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(120));
    },
  });
  return { body, made: () => made };
}

const { signal } = new AbortController();

describe("a body", () => {
  it("is refused when it is larger than any object, and read no further", async () => {
    const { body, made } = endless();
    await assertRejects(() => bodyText(new Response(body), signal), TooLarge, "larger than 8 MiB");
    assertEquals(made() < 2 * MAX_OBJECT_BYTES, true);
  });

  it("of a refusal is cut, and read no further", async () => {
    const { body, made } = endless();
    const text = await bodyText(new Response(body, { status: 500 }), signal);
    assertEquals(text.length, MAX_ERROR_BYTES);
    assertEquals(made() < 4 * MAX_ERROR_BYTES, true);
  });

  it("ends when the signal aborts", async () => {
    const reason = new Error("enough");
    const ending = new AbortController();
    const reading = bodyText(new Response(new ReadableStream<Uint8Array>()), ending.signal);
    ending.abort(reason);
    await assertRejects(() => reading, Error, "enough");
  });
});

describe("a line of a watch", () => {
  it("may come in any number of pieces", async () => {
    const pieces = ["a", "b\n", "\nc", "d\ne"].map((text) => new TextEncoder().encode(text));
    const got: string[] = [];
    for await (const line of lines(ReadableStream.from(pieces))) got.push(line);
    assertEquals(got, ["ab", "", "cd"]);
  });

  it("is an error when it is longer than it may be, with or without an end", async () => {
    for (const text of ["abcd\n", "abcd"]) {
      const reading = async () => {
        for await (const _ of lines(new Blob([text]).stream(), 3));
      };
      await assertRejects(reading, Error, "longer than 3 characters");
    }
  });
});

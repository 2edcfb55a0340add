/**
 * The C library, for the few functions that klatch needs and the runtime does not offer. Each is loaded at its first
 * use, since loading one costs a quarter of a millisecond.
 *
 * For Linux on x86-64 and arm64, with glibc or musl. On macOS and Windows every function fails with `internal`.
 *
 * @module
 */
import { KlatchError } from "../../../errors.ts";

/** The sonames to try: glibc, then musl under its own name. */
const LIBRARIES = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`];

let libraryName: string | undefined;

/** Loads from the library that was found first; the search happens once. */
export function load<S extends Deno.ForeignLibraryInterface>(symbols: S): Deno.DynamicLibrary<S>["symbols"] {
  if (Deno.build.os !== "linux") {
    throw new KlatchError("internal", `running a command is not supported on ${Deno.build.os}`, {
      hint: "run klatch on Linux",
    });
  }
  let failure: unknown;
  for (const name of libraryName === undefined ? LIBRARIES : [libraryName]) {
    try {
      const { symbols: loaded } = Deno.dlopen(name, symbols);
      libraryName = name;
      return loaded;
    } catch (error) {
      failure ??= error;
    }
  }
  throw new KlatchError("internal", `the C library cannot be loaded (tried ${LIBRARIES.join(", ")})`, {
    cause: failure,
    hint: "run klatch where glibc is, or with the libraries that its image ships",
  });
}

/** A function that makes its value at the first call and keeps it. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Memory that the garbage collector does not move, for C to read or write. */
export function fixedBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** Encodes a string for C. The caller has made sure that there is no NUL in it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(text);
  const bytes = fixedBytes(encoded.length + 1);
  bytes.set(encoded);
  return bytes;
}

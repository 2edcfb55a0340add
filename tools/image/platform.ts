/**
 * The two platforms that images are made for.
 *
 * @module
 */
import type { Target } from "../compile/binary.ts";

/** What differs between the platforms. */
export interface Platform {
  /** The name in an image index: https://go.dev/doc/install/source#environment (GOARCH). */
  readonly architecture: "amd64" | "arm64";
  readonly target: Target;
  /** The dynamic loader's file name. */
  readonly loader: string;
  /** Where Debian and its descendants, or Fedora and its, keep the libraries. */
  readonly libraryDirs: readonly string[];
}

/** All platforms. */
export const PLATFORMS: readonly Platform[] = [
  {
    architecture: "amd64",
    target: "x86_64-unknown-linux-gnu",
    loader: "ld-linux-x86-64.so.2",
    libraryDirs: ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64"],
  },
  {
    architecture: "arm64",
    target: "aarch64-unknown-linux-gnu",
    loader: "ld-linux-aarch64.so.1",
    libraryDirs: ["lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib64", "usr/lib64", "lib"],
  },
];

/** Where the directory has to be in a container: the loader's path is written into the binary. */
export const PLACE = "/klatch";

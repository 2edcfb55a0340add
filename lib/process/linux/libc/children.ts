/**
 * Starting a child, and waiting for it.
 *
 * @module
 */
import { KlatchError } from "../../../errors.ts";
import { fixedBytes, load, once } from "./library.ts";
import { syscall } from "./syscalls.ts";

/** Loaded at the first call. */
export const spawnLibrary = once(() =>
  load({
    posix_spawnp: {
      parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
      result: "i32",
    },
    environ: { type: "pointer" },
  })
);

/** Loaded at the first call. */
export const waitLibrary = once(() =>
  load({ waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32", nonblocking: true } })
);

const dup2Library = once(() =>
  load({ posix_spawn_file_actions_adddup2: { parameters: ["buffer", "i32", "i32"], result: "i32" } })
);

/**
 * The file actions that put descriptors in places. A zeroed posix_spawn_file_actions_t is an initialized one, in
 * glibc and in musl; what the C library allocates for it is not freed, since few are made.
 *
 * @param places what is put where, in this order.
 */
export function fileActions(
  places: readonly (readonly [from: number, to: number])[],
): Uint8Array<ArrayBuffer> {
  const SIZE = 80;
  const actions = fixedBytes(SIZE);
  const { posix_spawn_file_actions_adddup2 } = dup2Library();
  for (const [from, to] of places) {
    if (posix_spawn_file_actions_adddup2(actions, from, to) !== 0) {
      throw new KlatchError("internal", `descriptor ${from} cannot be passed on as ${to}`);
    }
  }
  return actions;
}

/** `waitpid` on a thread of its own. Resolves to what it returned; the raw status is in `status`. */
export function waitpid(pid: number, status: Uint8Array<ArrayBuffer>): Promise<number> {
  return waitLibrary().waitpid(pid, status, 0);
}

/** Takes the exit status of a child that has ended already, and drops it. Never waits. */
export function reap(pid: number): void {
  const WNOHANG = 1;
  syscall("wait4", pid, null, WNOHANG);
}

/** `posix_spawnp`; see posix_spawn(3). Returns an error number, 0 for success. */
export function posixSpawnp(
  pid: Uint8Array<ArrayBuffer>,
  file: Uint8Array<ArrayBuffer>,
  actions: Uint8Array<ArrayBuffer> | null,
  attributes: Uint8Array<ArrayBuffer>,
  argv: Uint8Array<ArrayBuffer>,
  envp: Uint8Array<ArrayBuffer>,
): number {
  return spawnLibrary().posix_spawnp(pid, file, actions, attributes, argv, envp);
}

/** One entry of this process's environment, where C keeps it. */
export interface EnvironEntry {
  /** The name, decoded for comparison only. */
  readonly name: string;
  /** The value, decoded, with what is not UTF-8 replaced. */
  readonly value: string;
  /** The address of the bytes `NAME=VALUE\0`, which are passed on untouched. */
  readonly address: bigint;
}

/** The environment of this process as C has it: bytes that are not UTF-8 survive at their addresses. */
export function environ(): EnvironEntry[] {
  const entries: EnvironEntry[] = [];
  const variable = spawnLibrary().environ;
  const list = variable === null ? null : new Deno.UnsafePointerView(variable).getPointer();
  if (list === null) return entries;
  const view = new Deno.UnsafePointerView(list);
  for (let offset = 0;; offset += 8) {
    const address = view.getPointer(offset);
    if (address === null) return entries;
    const text = Deno.UnsafePointerView.getCString(address);
    const equals = text.indexOf("=");
    entries.push({
      name: equals < 0 ? text : text.slice(0, equals),
      value: equals < 0 ? "" : text.slice(equals + 1),
      address: BigInt(Deno.UnsafePointer.value(address)),
    });
  }
}

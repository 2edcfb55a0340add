/**
 * Becomes another program, for which the kernel sends no signals from pipes: fcntl(2) refuses F_SETSIG, as under
 * sandboxes that do not know it.
 *
 *     without_pipe_signals.ts PROGRAM [ARG…]
 *
 * @see {@link https://man7.org/linux/man-pages/man2/seccomp.2.html}
 * @module
 */

const PR_SET_NO_NEW_PRIVS = 38, PR_SET_SECCOMP = 22, SECCOMP_MODE_FILTER = 2;
const F_SETSIG = 10, EINVAL = 22;
const FCNTL = Deno.build.arch === "x86_64" ? 72 : 25;

/** struct seccomp_data: the number of the call at 0, its second argument at 24. */
const LOAD = 0x20, JUMP_IF_EQUAL = 0x15, RETURN = 0x06;
const ALLOW = 0x7fff0000, FAIL = 0x00050000;
const FILTER: readonly (readonly [code: number, ifTrue: number, ifFalse: number, value: number])[] = [
  [LOAD, 0, 0, 0],
  [JUMP_IF_EQUAL, 0, 3, FCNTL],
  [LOAD, 0, 0, 24],
  [JUMP_IF_EQUAL, 0, 1, F_SETSIG],
  [RETURN, 0, 0, FAIL | EINVAL],
  [RETURN, 0, 0, ALLOW],
];

const libc = Deno.dlopen("libc.so.6", {
  prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
  execvp: { parameters: ["buffer", "buffer"], result: "i32" },
}).symbols;

const addressOf = (bytes: Uint8Array<ArrayBuffer>) =>
  BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));

const filter = new Uint8Array(8 * FILTER.length);
const view = new DataView(filter.buffer);
for (const [i, [code, ifTrue, ifFalse, value]] of FILTER.entries()) {
  view.setUint16(8 * i, code, true);
  view.setUint8(8 * i + 2, ifTrue);
  view.setUint8(8 * i + 3, ifFalse);
  view.setUint32(8 * i + 4, value >>> 0, true);
}
const program = new Uint8Array(16);
new DataView(program.buffer).setUint16(0, FILTER.length, true);
new DataView(program.buffer).setBigUint64(8, addressOf(filter), true);

if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) !== 0) {
  throw new Error("prctl(PR_SET_NO_NEW_PRIVS) failed");
}
if (libc.prctl(PR_SET_SECCOMP, BigInt(SECCOMP_MODE_FILTER), addressOf(program), 0n, 0n) !== 0) {
  throw new Error("this kernel has no seccomp filters");
}

const words = Deno.args.map((word) => new TextEncoder().encode(`${word}\0`));
const argv = new BigUint64Array([...words.map(addressOf), 0n]);
libc.execvp(words[0]!, new Uint8Array(argv.buffer));
throw new Error(`cannot run ${Deno.args[0]}`);

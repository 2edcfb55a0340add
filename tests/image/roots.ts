/**
 * Root file systems as images have them, from next to nothing to a whole Debian. Each is entered by chroot(1) in a mount
 * namespace of its own, with the directory for containers at /klatch and with /proc.
 *
 * @module
 */
import { type RunningKlatch, type RunOptions, spawnKlatch } from "../support/binary.ts";
import { isInstalled } from "./is_installed.ts";

/** A root file system. */
export interface Root {
  readonly name: string;
  /** Why it cannot be made here; false if it can. */
  readonly skip: string | false;
  /** A command in it that prints its environment; without it there is no program but klatch. */
  readonly printEnv?: readonly string[];
  /** A command in it that lives until its standard input ends, and says so first. */
  readonly hold?: readonly string[];
  /** Fills an empty directory. */
  fill(dir: string): Promise<void>;
  /** Directories of this machine to be mounted in it. */
  readonly mounts?: readonly string[];
}

const LIBRARIES = "/lib/x86_64-linux-gnu";

/** All roots. */
export const ROOTS: readonly Root[] = [
  { name: "a root with nothing in it", skip: false, fill: () => Promise.resolve() },
  {
    name: "a root with musl and busybox",
    skip: isInstalled("musl-gcc") && isStatic("/bin/busybox")
      ? false
      : "needs musl-gcc and a static busybox (Debian: apt-get install musl-tools busybox-static)",
    printEnv: ["/bin/dynamic"],
    hold: ["/bin/busybox", "sh", "-c", "echo started; exec /bin/busybox cat"],
    fill: fillMusl,
  },
  {
    name: "a root with glibc and no libgcc_s, as distroless",
    skip: false,
    printEnv: ["/bin/env"],
    hold: ["/bin/dash", "-c", "echo started; /bin/cat"],
    fill: fillGlibc,
  },
  {
    name: "Debian",
    skip: isInstalled("apt-get") ? false : "needs a Debian machine",
    printEnv: ["env"],
    hold: ["sh", "-c", "echo started; cat"],
    fill: () => Promise.resolve(),
    mounts: ["usr", "bin", "lib", "lib64"],
  },
];

/** Why no root can be entered here; false if they can. */
export const noRoots: string | false = canEnter() ? false : "needs root and unshare(1)";

function canEnter(): boolean {
  if (!isInstalled("unshare") || !isInstalled("chroot")) return false;
  return new Deno.Command("unshare", { args: ["--mount", "true"], stderr: "null" }).outputSync().success;
}

function isStatic(program: string): boolean {
  if (!isInstalled("ldd")) return false;
  try {
    Deno.statSync(program);
  } catch {
    return false;
  }
  return !new Deno.Command("ldd", { args: [program], stdout: "null", stderr: "null" }).outputSync().success;
}

/** busybox, musl's C library and loader, and a program that is linked with it dynamically. */
async function fillMusl(dir: string): Promise<void> {
  await Deno.mkdir(`${dir}/bin`);
  await Deno.mkdir(`${dir}/lib`);
  await Deno.copyFile("/bin/busybox", `${dir}/bin/busybox`);
  await Deno.copyFile("/usr/lib/x86_64-linux-musl/libc.so", `${dir}/lib/ld-musl-x86_64.so.1`);
  const source = "#include <stdio.h>\nextern char **environ;\n" +
    "int main(void) { for (char **each = environ; *each; each++) puts(*each); }\n";
  await Deno.writeTextFile(`${dir}/dynamic.c`, source);
  const args = ["-o", `${dir}/bin/dynamic`, `${dir}/dynamic.c`];
  const { success, stderr } = await new Deno.Command("musl-gcc", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Three programs, and the C library alone. */
async function fillGlibc(dir: string): Promise<void> {
  for (const each of ["bin", "lib64", "lib", LIBRARIES.slice(1)]) {
    await Deno.mkdir(`${dir}/${each}`, { recursive: true });
  }
  await Deno.copyFile("/lib64/ld-linux-x86-64.so.2", `${dir}/lib64/ld-linux-x86-64.so.2`);
  await Deno.copyFile(`${LIBRARIES}/libc.so.6`, `${dir}${LIBRARIES}/libc.so.6`);
  for (const [from, to] of [["/usr/bin/env", "env"], ["/bin/cat", "cat"], ["/bin/dash", "dash"]] as const) {
    await Deno.copyFile(from, `${dir}/bin/${to}`);
  }
}

/** Runs in the mount namespace: its words are the root, the directory for /klatch, the mounts, and the command. */
const ENTER = `set -e
root=$1 klatch=$2 mounts=$3
shift 3
mount -t proc proc "$root/proc"
mount --bind "$klatch" "$root/klatch"
for each in $mounts; do mkdir -p "$root/$each" && mount --rbind "/$each" "$root/$each"; done
exec chroot "$root" "$@"`;

/** A root that was made. */
export class MadeRoot {
  readonly dir: string;
  readonly #root: Root;
  readonly #folder: string;

  private constructor(root: Root, dir: string, folder: string) {
    this.#root = root;
    this.dir = dir;
    this.#folder = folder;
  }

  /**
   * Makes a root.
   *
   * @param folder the directory that is to be at /klatch.
   */
  static async make(root: Root, folder: string): Promise<MadeRoot> {
    const dir = await Deno.makeTempDir({ prefix: "klatch-root-" });
    for (const each of ["proc", "klatch", "etc"]) await Deno.mkdir(`${dir}/${each}`);
    // As the kubelet writes it.
    await Deno.writeTextFile(`${dir}/etc/hosts`, "127.0.0.1 kubernetes.default.svc\n");
    await root.fill(dir);
    return new MadeRoot(root, dir, folder);
  }

  /** Starts klatch in it; the process id is klatch's. */
  klatch(words: readonly string[], options: RunOptions = {}): RunningKlatch {
    const entered = [this.dir, this.#folder, (this.#root.mounts ?? []).join(" "), "/klatch/klatch", ...words];
    const args = ["--mount", "sh", "-c", ENTER, "sh", ...entered];
    return spawnKlatch(args, { ...options, binary: "unshare" });
  }

  async remove(): Promise<void> {
    await Deno.remove(this.dir, { recursive: true });
  }
}

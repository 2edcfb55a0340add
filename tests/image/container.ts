/**
 * Containers run by runc: nothing in them but klatch and a static busybox, restricted as a cautious cluster does it.
 *
 * @module
 */
import { type RunningKlatch, spawnKlatch } from "../support/binary.ts";
import { isInstalled } from "./is_installed.ts";

/** Docker's and Podman's default profile, as Debian's golang-github-containers-common has it. */
const SECCOMP_PROFILE = "/usr/share/containers/seccomp.json";
const BUSYBOX = "/bin/busybox";

/** Why no container can be run here; false if they can. */
export const noContainers: string | false = reason();

function reason(): string | false {
  if (Deno.uid() !== 0) return "needs root";
  if (!isInstalled("runc")) return "needs runc (Debian: apt-get install runc)";
  if (!exists(BUSYBOX)) return "needs a static busybox (Debian: apt-get install busybox-static)";
  return exists(SECCOMP_PROFILE)
    ? false
    : "needs a seccomp profile (Debian: apt-get install golang-github-containers-common)";
}

function exists(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

/** What the tests vary. */
export interface ContainerOptions {
  /** The first process: a program in the container and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Files and directories of this machine by their place in the container; /klatch is one of them. */
  readonly mounts: Readonly<Record<string, string>>;
  /** A directory of this machine that everybody in the container may write to, at /data. */
  readonly data?: string;
}

/** A container: not root, no capability, no new privileges, a file system that cannot be written, 128 MiB. */
export class Container {
  readonly #id = `klatch-${crypto.randomUUID().slice(0, 8)}`;
  readonly #bundle: string;

  private constructor(bundle: string) {
    this.#bundle = bundle;
  }

  /** Prepares a container; it does not run yet. */
  static async prepare(options: ContainerOptions): Promise<Container> {
    const bundle = await Deno.makeTempDir({ prefix: "klatch-bundle-" });
    await Deno.mkdir(`${bundle}/rootfs/bin`, { recursive: true });
    await Deno.copyFile(BUSYBOX, `${bundle}/rootfs/bin/busybox`);
    for (const each of ["sh", "cat"]) await Deno.symlink("/bin/busybox", `${bundle}/rootfs/bin/${each}`);
    for (const each of ["proc", "dev", "etc"]) await Deno.mkdir(`${bundle}/rootfs/${each}`);
    const config = await configOf(options);
    await Deno.writeTextFile(`${bundle}/config.json`, JSON.stringify(config));
    // The directories of a temporary directory are not for everybody.
    await Deno.chmod(bundle, 0o755);
    return new Container(bundle);
  }

  /** Runs it; its standard streams and exit status are those of its first process. */
  run(): RunningKlatch {
    return spawnKlatch(["run", "--bundle", this.#bundle, this.#id], { binary: "runc", stdin: "open" });
  }

  /** Sends a signal to its first process. */
  async kill(signal: Deno.Signal): Promise<void> {
    await new Deno.Command("runc", { args: ["kill", this.#id, signal] }).output();
  }

  /** Ends what still runs, and removes its files. */
  async remove(): Promise<void> {
    await new Deno.Command("runc", { args: ["delete", "--force", this.#id] }).output();
    await Deno.remove(this.#bundle, { recursive: true });
  }
}

/** See https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config.md. */
async function configOf({ command, env, mounts, data }: ContainerOptions) {
  const none: string[] = [];
  return {
    ociVersion: "1.0.2",
    root: { path: "rootfs", readonly: true },
    process: {
      args: command,
      env: Object.entries({ PATH: "/bin", ...env }).map((pair) => pair.join("=")),
      cwd: "/",
      user: { uid: 65532, gid: 65532 },
      capabilities: { bounding: none, effective: none, permitted: none, inheritable: none, ambient: none },
      noNewPrivileges: true,
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "mode=755"] },
      ...Object.entries(mounts).map(([destination, source]) => bind(source, destination, "ro")),
      ...(data === undefined ? [] : [bind(data, "/data", "rw")]),
    ],
    linux: {
      // The network is this machine's, since the API server is there.
      namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
      resources: { memory: { limit: 128 * 1024 * 1024 } },
      seccomp: await seccompProfile(),
      maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
    },
  };
}

function bind(source: string, destination: string, mode: "ro" | "rw") {
  return { destination, source, type: "bind", options: ["bind", mode] };
}

/** One rule of an engine's profile, which also says when it holds. */
interface Rule {
  readonly names: readonly string[];
  readonly action: string;
  readonly args?: readonly unknown[];
  readonly errnoRet?: number;
  readonly includes?: { readonly arches?: readonly string[]; readonly caps?: readonly string[] };
  readonly excludes?: { readonly arches?: readonly string[]; readonly caps?: readonly string[] };
}

/** The default profile as runc has it: without the rules for other architectures, and for capabilities. */
async function seccompProfile() {
  const { defaultAction, defaultErrnoRet, syscalls } = JSON.parse(
    await Deno.readTextFile(SECCOMP_PROFILE),
  ) as {
    defaultAction: string;
    defaultErrnoRet: number;
    syscalls: readonly Rule[];
  };
  const rules = syscalls.filter(({ includes = {}, excludes = {} }) =>
    includes.caps === undefined && (includes.arches?.includes("amd64") ?? true) &&
    !(excludes.arches?.includes("amd64") ?? false)
  );
  return {
    defaultAction,
    defaultErrnoRet,
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: rules.map(({ names, action, args, errnoRet }) => ({
      names,
      action,
      ...(args !== undefined && args !== null && { args }),
      ...(errnoRet !== undefined && { errnoRet }),
    })),
  };
}

/**
 * klatch's source on another processor: Deno for arm64, emulated by qemu. Without a guard, since a program for arm64 is
 * not started by the kernel itself here. It takes about 20 s of CPU time.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { sandboxOnly } from "../support/servers.ts";
import { isInstalled } from "./is_installed.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const QEMU = "qemu-aarch64-static";
/** Debian's arm64 libraries for machines of other kinds. */
const SYSROOT = "/usr/aarch64-linux-gnu";
/** The version that releases are compiled with. */
const PACKAGE = "@deno/linux-arm64-glibc@2.9.6";

const noQemu = isInstalled(QEMU) && exists(`${SYSROOT}/lib/libgcc_s.so.1`)
  ? false
  : "needs qemu (Debian: apt-get install qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross)";
const deno = noQemu === false ? await arm64Deno() : undefined;
const skip = noQemu || (deno === undefined && `needs ${PACKAGE} from npm`);

function exists(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

/** Deno for arm64, from npm; `undefined` if it cannot be had. It is kept for the next time. */
async function arm64Deno(): Promise<string | undefined> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const dir = `${home}/klatch-tests/${PACKAGE.replaceAll("/", "-")}`;
  if (exists(`${dir}/package/deno`)) return `${dir}/package/deno`;
  await Deno.mkdir(dir, { recursive: true });
  const script = `set -e; file=$(npm pack --silent ${PACKAGE}); tar -xzf "$file"; rm "$file"`;
  const { success } = await new Deno.Command("sh", { args: ["-c", script], cwd: dir, stderr: "null" })
    .output();
  return success ? `${dir}/package/deno` : undefined;
}

describe("klatch on arm64", { skip }, () => {
  it("runs a command under a lock", async () => {
    const [choice] = sandboxOnly();
    if (choice === undefined || deno === undefined) throw new Error("there is no sandbox");
    const server = await choice.start();
    try {
      // An emulated klatch is slow, and so are the answers that it gets.
      const patience = ["--lease-duration", "3m", "--renew-deadline", "2m"];
      const { code, stdout, stderr } = await new Deno.Command(QEMU, {
        args: [
          ...["-L", SYSROOT, deno, "run", "--quiet", "--allow-all", "--no-check", "main.ts"],
          ...["run", "emulated", "--no-guard", ...patience, "--", "sh", "-c", "echo $KLATCH_LOCK"],
        ],
        cwd: ROOT,
        clearEnv: true,
        env: {
          PATH: Deno.env.get("PATH") ?? "",
          HOME: Deno.env.get("HOME") ?? "",
          KUBECONFIG: server.kubeconfigFile,
        },
      }).output();
      const text = new TextDecoder().decode(stderr);
      assertEquals(code, 0, text);
      assertEquals(new TextDecoder().decode(stdout), "emulated\n");
      assertStringIncludes(text, "released default/emulated");
    } finally {
      await server.stop();
    }
  });
});

/**
 * Runs deno itself for a build, shielded from the environment's settings for deno.
 *
 * @module
 */

const ROOT = new URL("../..", import.meta.url).pathname;

/** Variables that would end up in what is built: V8's flags and trusted certificate stores. */
const EMBEDDED = ["DENO_V8_FLAGS", "DENO_TLS_CA_STORE", "DENO_NO_PROMPT", "DENO_COMPAT", "DENO_CONDITIONS"];

/** Where and with what deno runs. */
export interface DenoOptions {
  /** The working directory; the repository's root if not given. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs this deno with the given arguments and passes on what it prints.
 *
 * @throws {Error} if its exit status is not 0.
 */
export async function deno(args: readonly string[], options: DenoOptions = {}): Promise<void> {
  const env = { ...Deno.env.toObject(), ...options.env };
  for (const name of EMBEDDED) delete env[name];
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: options.cwd ?? ROOT,
    clearEnv: true,
    env,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`deno ${args[0]} failed with exit status ${code}`);
}

/**
 * Runs a command with a control plane that all of its tests share, and ends with its exit status:
 *
 *     deno run -A tests/support/with_control_plane.ts -- deno test -A
 *
 * Without `KUBEBUILDER_ASSETS` it only runs the command. The control plane ends with this process, however that ends.
 *
 * @module
 */

import { controlPlaneAssets, SHARED_VARIABLE, startControlPlane } from "./control_plane.ts";

async function main(args: readonly string[]): Promise<number> {
  const [program, ...rest] = args[0] === "--" ? args.slice(1) : args;
  if (program === undefined) {
    console.error("with_control_plane: a command is missing; say with_control_plane.ts -- COMMAND [ARG…]");
    return 125;
  }
  return await withControlPlane((env) => run(program, rest, env));
}

/**
 * Does something with a control plane that its child processes share, and ends the control plane.
 *
 * @param use gets the variables that its child processes need; none without `KUBEBUILDER_ASSETS`.
 * @returns what `use` returns.
 */
export async function withControlPlane<T>(use: (env: Record<string, string>) => Promise<T>): Promise<T> {
  if (controlPlaneAssets() === undefined) return await use({});
  const started = performance.now();
  const plane = await startControlPlane();
  console.error(`control plane at ${plane.url}, ready in ${Math.round(performance.now() - started)} ms`);
  try {
    const file = `${plane.dir}/description.json`;
    await Deno.writeTextFile(file, JSON.stringify(plane.describe()));
    return await use({ [SHARED_VARIABLE]: file });
  } finally {
    await plane.stop();
  }
}

async function run(program: string, args: string[], env: Record<string, string>): Promise<number> {
  const child = new Deno.Command(program, {
    args,
    env,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  })
    .spawn();
  const forward = (signal: Deno.Signal) => () => child.kill(signal);
  const handlers = (["SIGINT", "SIGTERM"] as const).map((signal) => [signal, forward(signal)] as const);
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  const { code } = await child.status;
  for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

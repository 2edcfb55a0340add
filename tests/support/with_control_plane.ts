/**
 * Runs a command with a control plane that all of its tests share, and ends with its exit status:
 *
 *     deno run -A tests/support/with_control_plane.ts -- deno test -A
 *
 * Where `KUBEBUILDER_ASSETS` is not set it just runs the command. Its end, of whatever kind, ends the control plane.
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
  if (controlPlaneAssets() === undefined) return await run(program, rest, {});
  const started = performance.now();
  const plane = await startControlPlane();
  console.error(`control plane at ${plane.url}, ready in ${Math.round(performance.now() - started)} ms`);
  try {
    const file = `${plane.dir}/description.json`;
    await Deno.writeTextFile(file, JSON.stringify(plane.describe()));
    return await run(program, rest, { [SHARED_VARIABLE]: file });
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

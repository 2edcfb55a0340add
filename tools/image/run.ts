/**
 * Runs a program that a build needs.
 *
 * @module
 */

/**
 * Runs a program and waits for its end.
 *
 * @param program its name.
 * @param args its arguments.
 * @param hint what to do if it is not installed.
 * @throws {Error} with what it printed to standard error, if it fails.
 */
export async function run(program: string, args: readonly string[], hint: string): Promise<void> {
  const { success, code, stderr } = await output(program, args, hint);
  if (!success) {
    throw new Error(`${program} failed with exit status ${code}: ${new TextDecoder().decode(stderr).trim()}`);
  }
}

async function output(program: string, args: readonly string[], hint: string): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(program, { args: [...args], stdout: "null", stderr: "piped" }).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Error(`${program} is not installed; ${hint}`);
    throw error;
  }
}

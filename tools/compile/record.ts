/**
 * Records a code cache: runs the bundled script on this machine through what has to be fast, and keeps what V8
 * compiled of it.
 *
 * @module
 */
import { compileBinary } from "./binary.ts";
import { playScenes } from "./scenes.ts";

/** With what a code cache is recorded. */
export interface RecordOptions {
  /** The runtime (denort), of this machine's platform; see `BinaryOptions.runtime`. */
  readonly runtime?: string | undefined;
  /** An existing directory for files that are needed meanwhile. */
  readonly dir: string;
}

/**
 * Records a code cache. Two recordings may differ in some bits: V8 also notes which functions it was about to
 * optimize, which depends on time.
 *
 * @param script the script of `bundle`.
 * @throws {Error} if klatch does not do in a scene what it should.
 */
export async function recordCodeCache(script: string, options: RecordOptions): Promise<Uint8Array> {
  const recorder = await compileRecorder(script, options);
  const dir = await Deno.makeTempDir({ dir: options.dir, prefix: "scenes-" });
  const record = `${dir}/klatch.v8`;
  await playScenes({ recorder, record, dir });
  return await Deno.readFile(record);
}

/**
 * Checks that a runtime accepts V8's data that was recorded elsewhere.
 *
 * @param data a code cache of this script.
 * @returns whether it does; not if it has another version of V8.
 */
export async function isAccepted(data: Uint8Array, script: string, options: RecordOptions): Promise<boolean> {
  const recorder = await compileRecorder(script, options);
  const file = await Deno.makeTempFile({ dir: options.dir });
  await Deno.writeFile(file, data);
  return (await new Deno.Command(recorder, { env: { CHECK_CODE_CACHE: file } }).output()).success;
}

async function compileRecorder(script: string, { runtime, dir }: RecordOptions): Promise<string> {
  const output = `${dir}/klatch`;
  await compileBinary({ entry: "recorder.ts", script }, { output, runtime, dir });
  return output;
}

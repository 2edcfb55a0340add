/**
 * What a keeper notes about its hold for `klatch check` and `klatch release`: one file in a folder that only its owner may
 * enter. It holds no credentials.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";

/** The keeper's hold, as the file has it. */
export interface KeeperState {
  readonly namespace: string;
  readonly name: string;
  /** Names of the strategies, separated by commas. */
  readonly strategy: string;
  /** The holder's name in the record. */
  readonly holder: string;
  readonly token: string;
  /** The keeper's process. */
  readonly pid: number;
  /** Its start time, which tells it from a later process with the same pid. */
  readonly startTime: number;
  /** Which start of the machine pid and times belong to. */
  readonly bootId: string;
  /** The process that it follows. */
  readonly follows: number | undefined;
  /** When the lock was acquired, on the clock that counts suspension; milliseconds. */
  readonly acquiredAtMs: number;
  /** When the hold is lost unless it is renewed, on the same clock. */
  readonly deadlineMs: number;
  /** When it expires at the latest, on the same clock. */
  readonly expiresAtMs: number;
  /** What became of it. */
  readonly phase:
    | { readonly kind: "held" }
    | { readonly kind: "lost"; readonly reason: string }
    | {
      readonly kind: "released";
      readonly reason: string;
      readonly heldMs: number;
      readonly confirmed: boolean;
    };
}

/** A state file that was found. */
export interface FoundState {
  readonly path: string;
  readonly state: KeeperState;
}

/** Which holds to look for. */
export interface StateQuery {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly strategy?: string | undefined;
}

/**
 * The folder for state files: in `XDG_RUNTIME_DIR`, else in `RUNNER_TEMP`, else in the folder for temporary files. It is made
 * if it is not there.
 *
 * @param env reads the environment.
 * @returns its path.
 * @throws KlatchError `config` if the folder is a link, another user's, or open to others.
 */
export async function stateFolder(env: (name: string) => string | undefined): Promise<string> {
  const uid = Deno.uid() ?? 0;
  const runtime = env("XDG_RUNTIME_DIR");
  const base = runtime && await isFolder(runtime) ? runtime : env("RUNNER_TEMP") || env("TMPDIR") || "/tmp";
  const path = `${base.replace(/\/+$/, "")}/klatch-${uid}`;
  try {
    await Deno.mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw unusable(path, String(error));
  }
  const { isDirectory, isSymlink, uid: owner, mode } = await Deno.lstat(path);
  if (isSymlink || !isDirectory) throw unusable(path, "it is not a folder");
  if (owner !== null && owner !== uid) throw unusable(path, `it belongs to the user ${owner}, not to ${uid}`);
  if (mode !== null && (mode & 0o077) !== 0) throw unusable(path, "other users may enter it");
  return path;
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

function unusable(path: string, why: string): KlatchError {
  return new KlatchError("config", `the folder for the keeper's state, ${path}, cannot be used: ${why}`, {
    hint: "remove it, or set XDG_RUNTIME_DIR to a folder of your own",
  });
}

/** The longest name of a file on common file systems is 255 bytes; the rest is for nonce and ending. */
const LONGEST_KEY = 200;

/**
 * The path of a hold's state file.
 *
 * @param folder from {@link stateFolder}.
 * @param lock the lock.
 * @param strategy names, separated by commas.
 * @param nonce the holder's, so that two holds of one lock have files of their own.
 */
export async function statePath(
  folder: string,
  lock: { readonly namespace: string; readonly name: string },
  strategy: string,
  nonce: string,
): Promise<string> {
  // No part can hold an underscore, so two locks cannot have one key.
  const key = `${lock.namespace}_${lock.name}_${strategy}`;
  const short = key.length <= LONGEST_KEY ? key : await digest(key);
  return `${folder}/${short}_${nonce}.json`;
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(bytes).toHex();
}

/** Writes a state file; a reader sees either the old or the new one. */
export async function writeState(path: string, state: KeeperState): Promise<void> {
  const fresh = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(fresh, JSON.stringify(state), { mode: 0o600, createNew: true });
  await Deno.rename(fresh, path);
}

/** The state in a file; `undefined` if there is none, or none that can be read. */
export async function readState(path: string): Promise<KeeperState | undefined> {
  try {
    const { isFile, uid } = await Deno.lstat(path);
    if (!isFile || (uid !== null && uid !== Deno.uid())) return undefined;
    return JSON.parse(await Deno.readTextFile(path));
  } catch {
    return undefined;
  }
}

/**
 * The states that fit a query.
 *
 * @param folder from {@link stateFolder}.
 * @returns those that can be read, the latest first.
 */
export async function findStates(folder: string, query: StateQuery): Promise<FoundState[]> {
  const found: FoundState[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !name.endsWith(".json")) continue;
    const path = `${folder}/${name}`;
    const state = await readState(path);
    if (state !== undefined && fits(state, query)) found.push({ path, state });
  }
  return found.sort((one, other) => other.state.acquiredAtMs - one.state.acquiredAtMs);
}

function fits(state: KeeperState, { name, namespace, strategy }: StateQuery): boolean {
  return state.name === name && (namespace ?? state.namespace) === state.namespace &&
    (strategy ?? state.strategy) === state.strategy;
}

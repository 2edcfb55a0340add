/**
 * `klatch acquire NAME`: acquires a lock and leaves a keeper that renews it in the background.
 *
 * @module
 */
import { withinLimits } from "../../before_the_hold.ts";
import { asKlatchError, KlatchError } from "../../errors.ts";
import { forgetEnded } from "../../keeper/ask.ts";
import { absolute, startKeeper } from "../../keeper/client.ts";
import { chooseFollowed, type Followed } from "../../keeper/follow.ts";
import { processLayer } from "../../process/layer.ts";
import type { KeeperRequest } from "../../keeper/protocol.ts";
import { stateFolder, statePath } from "../../keeper/state.ts";
import { DATA_VARIABLE, readStream } from "../../kube/config/sources.ts";
import type { LockName } from "../../lock.ts";
import { listenSignals } from "../../process/signals.ts";
import { formatDuration } from "../../text.ts";
import { chooseCluster, type ClusterChoice } from "../cluster.ts";
import type { Command } from "../command.ts";
import { keeperFlags, type KeeperOptions, readKeeper } from "../flag_groups/keeper.ts";
import type { Host } from "../host.ts";
import { Reporter } from "../output/reporter.ts";
import { contender, holdFlags, type HoldOptions, readHoldOptions } from "../run_options.ts";
import { namesOf } from "../strategy_flags.ts";
import { untilSignal } from "../until_signal.ts";

/** The flags of `run` that are about its command. */
const OF_A_COMMAND: readonly string[] = ["signal", "kill-after", "no-guard"];

/** The command. */
export const acquire: Command = {
  name: "acquire",
  summary: "acquire a lock and hold it in the background",
  usage: "klatch acquire NAME [flags]",
  description:
    "Returns once the lock is held, and leaves a keeper, a small background process that renews it: until klatch\n" +
    "release, until the process that it follows ends, or until --max-hold. klatch check says whether it is still held.",
  flags: [...holdFlags.filter(({ name }) => !OF_A_COMMAND.includes(name)), ...keeperFlags],
  examples: [
    { title: "Hold a lock across the lines of a script", line: "klatch acquire deploy --wait 10m" },
    { title: "Hold it as long as another process runs", line: "klatch acquire deploy --follow 1234" },
    { title: "Hold it for two hours at most", line: "klatch acquire deploy --max-hold 2h" },
  ],
  notes: `Exit status:
  0      the lock is held
  124    the lock was not acquired in time (-E changes it)
  125    klatch itself failed: usage, cluster, permission
  128+n  signal n ended the wait
`,
  async run(parsed, host) {
    const options = readHoldOptions(acquire, parsed, (name) => host.env(name));
    return await acquireInBackground(options, readKeeper(parsed), host);
  },
};

async function acquireInBackground(options: HoldOptions, keeper: KeeperOptions, host: Host): Promise<number> {
  const strategy = namesOf(options.strategies);
  let reporter = new Reporter(
    host,
    options.log,
    { namespace: options.namespace ?? "", name: options.name },
    strategy,
  );
  try {
    const followed = follow(keeper, host);
    using signals = listenSignals();
    const { name, waitMs } = options;
    const { value: { choice, lock }, leftMs } = await untilSignal(
      signals,
      `stopped waiting for ${name}`,
      (interrupted) =>
        withinLimits({ clock: host.clock, waitMs, name, interrupted }, async (signal) => {
          const choice = await choiceFor(options, host, signal);
          const { namespace } = await chooseCluster(choice, host, signal);
          return { choice, lock: { namespace, name } };
        }),
    );
    reporter = new Reporter(host, options.log, lock, strategy);
    const request = {
      ...await requestFor({ ...options, ...choice }, keeper, lock, followed, host),
      waitMs: leftMs,
    };
    reporter.contender(request.me.identity);
    await forgetEnded(folderOf(request.stateFile), { ...lock, strategy });
    const pid = await untilSignal(
      signals,
      `stopped waiting for ${lock.namespace}/${name}`,
      (interrupted) =>
        startKeeper(request, {
          self: host.self,
          interrupted,
          onEvent: reporter.onEvent,
          onWarning: (message) => reporter.warn(message),
        }),
    );
    reporter.note("kept", keptBy(pid, request), {
      keeper: pid,
      ...(followed.pid !== undefined && { follows: followed.pid }),
      maxHoldMs: keeper.maxHoldMs,
    });
    return 0;
  } catch (error) {
    const failure = asKlatchError(error);
    reporter.error(failure);
    return options.statusOf(failure);
  }
}

/** The choice of a cluster as the keeper can make it once more: what can be read only once is read here. */
async function choiceFor(options: HoldOptions, host: Host, signal: AbortSignal): Promise<ClusterChoice> {
  const { kubeconfig, context, namespace } = options;
  const env = (name: string) => host.env(name);
  const data = await readStream({ kubeconfig, env, signal });
  if (data === undefined) return { kubeconfig, context, namespace, env };
  return {
    kubeconfig: undefined,
    context,
    namespace,
    env: (name) => name === DATA_VARIABLE ? data : env(name),
  };
}

function follow({ follow: given, onLost }: KeeperOptions, host: Host): Followed {
  const isJob = Boolean(host.env("GITHUB_ACTIONS") ?? host.env("CI"));
  let followed: Followed;
  try {
    followed = chooseFollowed(processLayer().lookUp, { self: Deno.pid, given, isJob });
  } catch {
    throw new KlatchError("usage", `--follow ${given}: there is no such process`, {
      hint: "give the id of a process that runs",
    });
  }
  if (onLost === "kill" && followed.pid === undefined) {
    throw new KlatchError("usage", `--on-lost kill: there is no process to follow, since ${followed.why}`, {
      hint: "name one with --follow PID, or use klatch check",
    });
  }
  return followed;
}

async function requestFor(
  options: HoldOptions & ClusterChoice,
  { maxHoldMs, onLost }: KeeperOptions,
  lock: LockName,
  followed: Followed,
  host: Host,
): Promise<KeeperRequest> {
  const { strategies, object, timing, waitMs, cleanup, kubeconfig, env = () => undefined } = options;
  const me = contender(options, host);
  const folder = await stateFolder((name) => host.env(name));
  return {
    strategies: strategies.map(({ name }) => name),
    lock,
    object,
    me,
    timing,
    askedWaitMs: waitMs,
    cleanup,
    events: options.events ?? false,
    cluster: {
      kubeconfig: kubeconfig === undefined ? undefined : absolute(kubeconfig),
      context: options.context,
      data: env(DATA_VARIABLE),
    },
    followed,
    maxHoldMs,
    onLost,
    stateFile: await statePath(folder, lock, namesOf(strategies), me.nonce),
  };
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

/** Until when the lock is held, in words. */
function keptBy(pid: number, { followed, maxHoldMs }: KeeperRequest): string {
  const atMost = `or for ${formatDuration(maxHoldMs)} at most`;
  const until = followed.pid === undefined
    ? `until klatch release, since ${followed.why}`
    : `until klatch release, until ${followed.name} (pid ${followed.pid}) ends`;
  return `the keeper (pid ${pid}) holds it ${until}, ${atMost}`;
}

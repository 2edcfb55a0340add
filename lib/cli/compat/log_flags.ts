/**
 * The flags of Go's logging libraries klog and glog. The older tools list them in their help; klatch has no such log, so
 * they are accepted and change nothing.
 *
 * @see {@link https://pkg.go.dev/k8s.io/klog/v2#InitFlags}
 * @module
 */
import type { Flag } from "../flags.ts";

const IGNORED = "ignored: klatch has no such log";

const SWITCHES = [
  "add_dir_header",
  "alsologtostderr",
  "legacy_stderr_threshold_behavior",
  "logtostderr",
  "one_output",
  "skip_headers",
  "skip_log_headers",
];
const WITH_VALUES = [
  "alsologtostderrthreshold",
  "log_backtrace_at",
  "log_dir",
  "log_file",
  "log_file_max_size",
  "logbuflevel",
  "log_link",
  "stderrthreshold",
  "vmodule",
];

/** The flags, all but `-v`. */
export const logFlags: readonly Flag[] = [
  ...SWITCHES.map((name) => ({ name, help: IGNORED })),
  ...WITH_VALUES.map((name) => ({ name, value: "VALUE", help: IGNORED })),
];

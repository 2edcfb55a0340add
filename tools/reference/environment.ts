/**
 * What klatch reads from its environment besides the variables of its flags, and what it puts into a command's. The page
 * docs/environment.md and the manual page are made from it.
 *
 * @module
 */

/** Some variables of one purpose. */
export interface Variables {
  /** Their names. */
  readonly names: readonly string[];
  /** What they mean: a phrase, in Markdown, without a full stop. */
  readonly meaning: string;
}

/** Variables of klatch's own that no flag has. */
export const OWN: readonly Variables[] = [
  {
    names: ["KLATCH_KUBECONFIG_DATA"],
    meaning:
      "a kubeconfig, plain or as base64, for places where secrets are variables. It comes before `KUBECONFIG` and after " +
      "`--kubeconfig`; klatch removes it from its environment, and its command does not see it",
  },
  {
    names: ["KLATCH_GUARD_SHELL"],
    meaning: "the shell that is the guard, instead of `/bin/sh`; empty: klatch's own binary is the guard",
  },
  {
    names: ["KLATCH_PROCESS_LAYER"],
    meaning:
      "for klatch's own tests: `portable` makes klatch run commands on Linux as it does on [macOS](macos.md)",
  },
  {
    names: ["KLATCH_SERVICE_ACCOUNT_DIR"],
    meaning:
      "the folder of the pod's service account, instead of `/var/run/secrets/kubernetes.io/serviceaccount`",
  },
  {
    names: ["KLATCH_PROCESS_LAYER"],
    meaning: "`portable`: on Linux too, run commands as on macOS, with fewer promises; for tests",
  },
  {
    names: ["KLATCH_DOWNLOAD_URL"],
    meaning: "read by `install.sh` only: where releases are, instead of GitHub",
  },
];

/** Variables that klatch sets for the command of `klatch run`. */
export const FOR_COMMANDS: readonly Variables[] = [
  { names: ["KLATCH_LOCK"], meaning: "the lock's name" },
  { names: ["KLATCH_NAMESPACE"], meaning: "its namespace; klatch in the command uses the same one" },
  { names: ["KLATCH_STRATEGY"], meaning: "its strategies; klatch in the command uses the same ones" },
  { names: ["KLATCH_HOLDER"], meaning: "the holder's identity, as others see it" },
  {
    names: ["KLATCH_TOKEN"],
    meaning: "the fencing token, a decimal integer that only grows from holder to holder",
  },
  {
    names: ["KLATCH_ATTEMPT"],
    meaning:
      "for the command of `klatch once`: 1 for the first attempt since the last success, 2 for the next",
  },
  { names: ["KLATCH_RUN"], meaning: "marks the processes of this run; leave it alone" },
  {
    names: ["KLATCH_SANDBOX"],
    meaning: "for the command of `klatch sandbox`: marks its processes; leave it alone",
  },
];

/** Variables of others that klatch reads. */
export const OF_OTHERS: readonly Variables[] = [
  { names: ["KUBECONFIG"], meaning: "kubeconfigs, separated by colons, merged as kubectl does" },
  { names: ["HOME"], meaning: "where `.kube/config` is, if nothing else names a kubeconfig" },
  {
    names: ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"],
    meaning: "the API server, in a pod, if there is no kubeconfig",
  },
  { names: ["POD_NAMESPACE"], meaning: "in a pod: the namespace, before the service account's" },
  {
    names: ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"],
    meaning:
      "the proxy between klatch and the API server, by Go's rules; also in lower case. A kubeconfig's `proxy-url` comes first",
  },
  {
    names: ["SSL_CERT_FILE"],
    meaning: "certificate authorities, instead of the system's, for a cluster that names none of its own",
  },
  { names: ["NO_COLOR", "TERM"], meaning: "no colours if `NO_COLOR` is set or `TERM` is `dumb`" },
  {
    names: ["XDG_RUNTIME_DIR", "RUNNER_TEMP", "TMPDIR"],
    meaning:
      "where `acquire`, `check` and `release` keep the state of holds: the first that is set, else `/tmp`. `sandbox` and " +
      "temporary files use `TMPDIR`",
  },
  {
    names: ["GITHUB_ACTIONS", "CI"],
    meaning: "set: `acquire` without `--follow` follows the job that runs the step",
  },
  {
    names: ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"],
    meaning: "files that `--output github` appends to",
  },
  { names: ["GITHUB_RUN_ATTEMPT"], meaning: "the attempt of `--ticket N`, if the flag names none" },
  { names: ["USER", "LOGNAME"], meaning: "who breaks a lock, for the note of `break`" },
  { names: ["HOSTNAME"], meaning: "the default identity of `klatch as kubelock`" },
  {
    names: ["PATH"],
    meaning: "where the command and credential plugins are; `sandbox` puts klatch in front",
  },
];

/** Files that klatch reads without being told to by a flag. */
export const FILES: readonly Variables[] = [
  {
    names: ["~/.kube/config"],
    meaning: "the kubeconfig, and whatever certificates, keys and tokens it names",
  },
  {
    names: ["/var/run/secrets/kubernetes.io/serviceaccount"],
    meaning:
      "`token`, `ca.crt` and `namespace` of the pod's service account; the token is read again as it changes",
  },
  {
    names: ["/etc/ssl", "/etc/pki"],
    meaning: "the system's certificate authorities, where distributions keep them",
  },
  { names: ["/proc"], meaning: "processes of the command, and the clock that counts suspension" },
];

/**
 * What has to be undone when the benchmark ends, also by Ctrl-C. Nothing can be done about SIGKILL: then processes on
 * a pipe from here end by themselves, and files stay.
 *
 * @module
 */

const pending = new Set<() => void>();

/**
 * Registers something to undo.
 *
 * @param undo is called once, at the latest when this process ends; it cannot wait for anything.
 * @returns does it now.
 */
export function atEnd(undo: () => void): () => void {
  const once = () => {
    if (pending.delete(once)) undo();
  };
  pending.add(once);
  return once;
}

/** Makes INT, TERM and HUP end this process in order. */
export function endOnSignals(): void {
  for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const) {
    Deno.addSignalListener(signal, () => Deno.exit(128 + number));
  }
}

globalThis.addEventListener("unload", () => {
  for (const once of [...pending].reverse()) {
    try {
      once();
    } catch (error) {
      console.error("bench: could not tidy up:", error);
    }
  }
});

/**
 * The names of the tools that klatch stands in for. Apart from the stand-ins, so that a run need not load those.
 *
 * @module
 */

/** The tools' names. */
export const TOOLS = ["klock", "kubelock", "kube-lock"] as const;

/** One of the tools. */
export type Tool = typeof TOOLS[number];

/** Whether it is one of their names. */
export function isTool(name: string): name is Tool {
  return TOOLS.some((tool) => tool === name);
}

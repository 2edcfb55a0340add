/**
 * Objects as a `Table`, which is what kubectl asks for to print columns.
 *
 * Format: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import {
  CONFIG_MAPS,
  ENDPOINTS,
  EVENTS,
  LEASES,
  NAMESPACES,
  type ResourceType,
  SECRETS,
} from "./resources.ts";

/** What a row carries of its object: nothing, its metadata (kubectl's default) or all of it. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** How to make a table. */
export interface TableOptions {
  /** Milliseconds since the Unix epoch: ages are counted from here. */
  readonly now: number;
  readonly includeObject: IncludeObject;
  /** Without column definitions, as all events of a watch but the first. */
  readonly rowsOnly?: boolean;
}

type Cell = string | number;
type Column = readonly [name: string, cell: (object: AnyObject, now: number) => Cell];

const NAME: Column = ["Name", (object) => object.metadata.name];
const AGE: Column = ["Age", (object, now) => age(object, now)];
const DATA: Column = ["Data", (object) => size(object.data) + size(object.binaryData)];

const COLUMNS = new Map<ResourceType, readonly Column[]>([
  [LEASES, [NAME, ["Holder", (object) => text(object.spec, "holderIdentity")], AGE]],
  [CONFIG_MAPS, [NAME, DATA, AGE]],
  [SECRETS, [NAME, ["Type", (object) => text(object, "type")], DATA, AGE]],
  [ENDPOINTS, [NAME, ["Endpoints", (object) => addresses(object)], AGE]],
  [EVENTS, [
    ["Last Seen", (object, now) => humanDuration(now - Date.parse(text(object, "lastTimestamp")))],
    ["Type", (object) => text(object, "type")],
    ["Reason", (object) => text(object, "reason")],
    [
      "Object",
      ({ involvedObject }) => `${text(involvedObject, "kind").toLowerCase()}/${text(involvedObject, "name")}`,
    ],
    ["Message", (object) => text(object, "message")],
  ]],
  [NAMESPACES, [NAME, ["Status", (object) => text(object.status, "phase")], AGE]],
]);

/**
 * A table of objects.
 *
 * @param type their kind.
 * @param objects one row each.
 * @param resourceVersion of the list, or of the one object.
 */
export function tableOf(
  type: ResourceType,
  objects: readonly AnyObject[],
  resourceVersion: string | undefined,
  options: TableOptions,
): Record<string, unknown> {
  const columns = COLUMNS.get(type) ?? [NAME, AGE];
  const definitions = columns.map(([name]) => ({
    name,
    type: name === "Data" ? "integer" : "string",
    format: name === "Name" ? "name" : "",
    description: "",
    priority: 0,
  }));
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
    columnDefinitions: options.rowsOnly ? [] : definitions,
    rows: objects.map((object) => ({
      cells: columns.map(([, cell]) => cell(object, options.now)),
      object: included(object, options.includeObject),
    })),
  };
}

function included(object: AnyObject, include: IncludeObject): unknown {
  if (include === "None") return null;
  if (include === "Object") return object;
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}

function text(from: unknown, field: string): string {
  return String((from as Record<string, unknown> | undefined)?.[field] ?? "");
}

function size(map: unknown): number {
  return Object.keys(map ?? {}).length;
}

function addresses({ subsets }: AnyObject): string {
  type Subset = { addresses?: { ip?: string }[]; ports?: { port?: number }[] };
  const all = ((subsets ?? []) as Subset[]).flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) => ports.length === 0 ? [ip] : ports.map(({ port }) => `${ip}:${port}`))
  );
  if (all.length === 0) return "<none>";
  return all.length <= 3 ? all.join(",") : `${all.slice(0, 3).join(",")} + ${all.length - 3} more...`;
}

function age({ metadata }: AnyObject, now: number): string {
  const since = Date.parse(String(metadata.creationTimestamp));
  return Number.isNaN(since) ? "<unknown>" : humanDuration(now - since);
}

/**
 * A duration as kubectl prints ages: two units where one would be coarse.
 *
 * @param ms milliseconds; what is slightly negative counts as 0.
 * @returns e.g. `45s`, `5m30s`, `3h20m`, `12d`.
 *
 * @example
 * ```ts
 * import { humanDuration } from "./table.ts";
 *
 * if (humanDuration(330_000) !== "5m30s") throw new Error();
 * ```
 */
export function humanDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return two(days, "d", hours % 24, "h");
  return days < 730 ? `${days}d` : two(Math.floor(days / 365), "y", days % 365, "d");
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return `${large}${largeUnit}${small === 0 ? "" : `${small}${smallUnit}`}`;
}

/**
 * What Kubernetes accepts as a name or a label, checked before anything is sent.
 *
 * @see {@link https://kubernetes.io/docs/concepts/overview/working-with-objects/names/}
 * @see {@link https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/}
 * @module
 */
import { KlatchError } from "../errors.ts";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/**
 * Refuses a lock name that Kubernetes would refuse for the object.
 *
 * @param name as given; never changed.
 * @throws KlatchError `usage`.
 */
export function checkLockName(name: string): void {
  if (name.length <= 253 && DNS_SUBDOMAIN.test(name)) return;
  throw new KlatchError(
    "usage",
    `the lock name ${JSON.stringify(name)} cannot be the name of a Kubernetes object`,
    {
      hint: "use at most 253 lower-case letters, digits, '-' and '.', a letter or digit first and last",
    },
  );
}

/** Whether Kubernetes takes a name for a namespace: a DNS label, https://www.rfc-editor.org/rfc/rfc1123#section-2. */
export function isNamespace(name: string): boolean {
  return name.length <= 63 && DNS_LABEL.test(name);
}

/** Refuses a namespace that Kubernetes would refuse. Throws KlatchError `usage`. */
export function checkNamespace(name: string): void {
  if (isNamespace(name)) return;
  throw new KlatchError("usage", `${JSON.stringify(name)} cannot be the name of a namespace`, {
    hint: "use at most 63 lower-case letters, digits and '-', a letter or digit first and last",
  });
}

/**
 * Reads labels.
 *
 * @param text `key=value`, several separated by commas; may be empty.
 * @returns the labels by key.
 * @throws KlatchError `usage` if a key or value is not one that Kubernetes accepts.
 *
 * @example
 * ```ts
 * import { parseLabels } from "./names.ts";
 *
 * if (parseLabels("team=db,tier=1")["tier"] !== "1") throw new Error();
 * ```
 */
export function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const pair of text.split(",").filter((part) => part !== "")) {
    const at = pair.indexOf("=");
    const [key, value] = at < 0 ? [pair, undefined] : [pair.slice(0, at), pair.slice(at + 1)];
    if (value === undefined || !isLabel(key, value)) {
      throw new KlatchError("usage", `--labels: "${pair}" is not a label`, {
        hint: "write labels as key=value,key=value with keys and values that Kubernetes accepts",
      });
    }
    labels[key] = value;
  }
  return labels;
}

/** Refuses labels that Kubernetes would refuse. Throws KlatchError `usage`, which names the label. */
export function checkLabels(labels: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(labels)) {
    if (isLabel(key, value)) continue;
    throw new KlatchError("usage", `${JSON.stringify(`${key}=${value}`)} cannot be a label`, {
      hint: "use keys and values that Kubernetes accepts: at most 63 letters, digits, '-', '_' and '.'",
    });
  }
}

function isLabel(key: string, value: string): boolean {
  return isLabelKey(key) && isLabelValue(value);
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  const [prefix, name] = slash < 0 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)];
  if (prefix !== undefined && (prefix.length > 253 || !DNS_SUBDOMAIN.test(prefix))) return false;
  return name.length <= 63 && LABEL_PART.test(name);
}

function isLabelValue(value: string): boolean {
  return value === "" || (value.length <= 63 && LABEL_PART.test(value));
}

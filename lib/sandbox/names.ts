/**
 * What names, keys and label values may look like, each check with the API server's own message. All return
 * `undefined` where the value is fine.
 *
 * Rules: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 *
 * @module
 */

const SUBDOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const DATA_KEY = "[-._a-zA-Z0-9]+";

/** Made once of each pattern. */
const matchers = new Map<string, RegExp>();

function fits(value: string, pattern: string): boolean {
  const matcher = matchers.get(pattern) ?? new RegExp(`^(?:${pattern})$`);
  matchers.set(pattern, matcher);
  return matcher.test(value);
}

/** For names of most objects. */
export function subdomainProblem(value: string): string | undefined {
  if (value.length > 253) return "must be no more than 253 characters";
  if (fits(value, SUBDOMAIN)) return undefined;
  return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " +
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
    `'${SUBDOMAIN}')`;
}

/** For names of namespaces. */
export function labelProblem(value: string): string | undefined {
  if (value.length > 63) return "must be no more than 63 characters";
  if (fits(value, LABEL)) return undefined;
  return "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and " +
    `end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`;
}

/** For keys of labels and annotations in an object. */
export function qualifiedNameProblem(value: string): string | undefined {
  const parts = value.split("/");
  const examples =
    `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`;
  const rule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
    `alphanumeric character ${examples}`;
  if (parts.length > 2) {
    return `a valid label key ${rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  }
  const [prefix, name] = parts.length === 2 ? [parts[0]!, parts[1]!] : [undefined, parts[0]!];
  if (prefix === "") return "prefix part must be non-empty";
  const prefixProblem = prefix === undefined ? undefined : subdomainProblem(prefix);
  if (prefixProblem !== undefined) return `prefix part ${prefixProblem}`;
  if (name === "") return "name part must be non-empty";
  if (name.length > 63) return "name part must be no more than 63 characters";
  return fits(name, QUALIFIED) ? undefined : `name part ${rule}`;
}

/** For keys in a label selector. */
export const labelKeyProblem = qualifiedNameProblem;

/** For values of labels. */
export function labelValueProblem(value: string): string | undefined {
  if (value.length > 63) return "must be no more than 63 characters";
  if (fits(value, LABEL_VALUE)) return undefined;
  return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must " +
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for " +
    `validation is '${LABEL_VALUE}')`;
}

/** For keys in the data of Secrets and ConfigMaps. */
export function dataKeyProblem(value: string): string | undefined {
  if (value.length > 253) return "must be no more than 253 characters";
  if (!fits(value, DATA_KEY)) {
    return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or " +
      `'KEY_NAME',  or 'key-name', regex used for validation is '${DATA_KEY}')`;
  }
  if (value === "." || value === "..") return `must not be '${value}'`;
  return value.startsWith("..") ? "must not start with '..'" : undefined;
}

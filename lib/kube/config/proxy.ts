/**
 * Decides whether a proxy stands between us and the server, by the rules that Go's programs follow, so that
 * klatch and kubectl go the same way. It does not connect.
 *
 * https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { Env } from "./types.ts";

const SCHEMES = ["http:", "https:", "socks5:", "socks5h:"];

/**
 * The proxy for a server, from the environment.
 *
 * @param server the server's URL.
 * @param env reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, upper case first, then lower case.
 * @returns the proxy's URL, or `undefined` for a direct connection.
 * @throws {KlatchError} `config`: the variable holds no URL.
 *
 * @example
 * ```ts
 * import { proxyFromEnv } from "./proxy.ts";
 *
 * const env: Record<string, string> = { HTTPS_PROXY: "proxy:3128", NO_PROXY: ".internal,10.0.0.0/8" };
 * const decide = (server: string) => proxyFromEnv(server, (name) => env[name]);
 * if (decide("https://kube.example:6443") !== "http://proxy:3128/") throw new Error();
 * if (decide("https://kube.internal:6443") !== undefined) throw new Error();
 * if (decide("https://10.1.2.3:6443") !== undefined) throw new Error();
 * ```
 */
export function proxyFromEnv(server: string, env: Env): string | undefined {
  const url = new URL(server);
  const variable = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = env(variable) || env(variable.toLowerCase());
  if (!proxy) return undefined;
  if (excluded(url, env("NO_PROXY") || env("no_proxy") || "")) return undefined;
  return parseProxyUrl(/^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`, variable);
}

/**
 * Checks a proxy's URL.
 *
 * @param text the URL.
 * @param where where it was found, for the message.
 * @returns the URL, normalised.
 * @throws {KlatchError} `config`: not a URL, or not of a kind that is known.
 */
export function parseProxyUrl(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.host === "") {
    throw new KlatchError("config", `${where}: the proxy's address is not a URL`);
  }
  if (!SCHEMES.includes(url.protocol)) {
    throw new KlatchError("config", `${where}: a proxy by ${url.protocol}// is not known`, {
      hint: "use http://, https:// or socks5://",
    });
  }
  return url.href;
}

function excluded(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const address = parseIp(host);
  // Go never asks a proxy for this machine itself.
  if (host === "localhost" || (address !== undefined && isLoopback(address))) return true;
  return noProxy.split(",").map((rule) => rule.trim().toLowerCase()).some((rule) =>
    rule !== "" && matches(rule, host, port, address)
  );
}

function matches(rule: string, host: string, port: string, address: Uint8Array | undefined): boolean {
  if (rule === "*") return true;
  const [network = "", prefix] = rule.split("/", 2);
  if (prefix !== undefined) {
    const base = parseIp(network);
    return base !== undefined && address !== undefined && /^\d+$/.test(prefix) &&
      inNetwork(address, base, Number(prefix));
  }
  const { name, rulePort } = splitPort(rule);
  if (rulePort !== undefined && rulePort !== port) return false;
  const ruleAddress = parseIp(name);
  if (ruleAddress !== undefined) {
    return address !== undefined && inNetwork(address, ruleAddress, ruleAddress.length * 8);
  }
  if (address !== undefined || name === "") return false;
  const suffix = name.replace(/^\*\./, ".");
  return suffix.startsWith(".") ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function splitPort(rule: string): { name: string; rulePort: string | undefined } {
  const [, bracketed, host, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\w+))?$/.exec(rule) ?? [];
  if (bracketed === undefined && host === undefined) return { name: rule, rulePort: undefined };
  return { name: bracketed ?? host ?? "", rulePort: port };
}

function isLoopback(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

function inNetwork(address: Uint8Array, base: Uint8Array, prefix: number): boolean {
  if (address.length !== base.length || prefix > base.length * 8) return false;
  for (let bit = 0; bit < prefix; bit++) {
    const mask = 0x80 >> (bit % 8);
    if (((address[bit >> 3] ?? 0) & mask) !== ((base[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}

/** The bytes of an IP address; the URL parser brings IPv6 to its shortest form first. */
function parseIp(text: string): Uint8Array | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : undefined;
  }
  if (!text.includes(":") || !URL.canParse(`http://[${text}]/`)) return undefined;
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::", 2);
  const groups = (part: string) => part === "" ? [] : part.split(":").map((group) => parseInt(group, 16));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const middle = new Array<number>(8 - left.length - right.length).fill(0);
  const all = [...left, ...middle, ...right].flatMap((group) => [group >> 8, group & 255]);
  // ::ffff:a.b.c.d is the IPv4 address that it wraps.
  const wrapped = all.slice(0, 10).every((byte) => byte === 0) && all[10] === 255 && all[11] === 255;
  return Uint8Array.from(wrapped ? all.slice(12) : all);
}

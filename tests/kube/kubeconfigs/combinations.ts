/**
 * Kubeconfigs made of a user, a cluster and a way to write them down, each of which people have: every user with every
 * cluster, in one way of writing after the other.
 *
 * @module
 */
import type { Case, Material } from "./cases.ts";

/** A user or a cluster. */
interface Part {
  readonly what: string;
  readonly fields: (material: Material) => Readonly<Record<string, unknown>>;
  /** A cluster that is spoken to without TLS, or a user that no other cluster takes. */
  readonly plain?: true;
}

const PLAIN = "klatch sends no credentials over plain HTTP, and does not judge those that it does not send";

const base64 = (text: string) => new TextEncoder().encode(text).toBase64();
const V1 = "client.authentication.k8s.io/v1";

const USERS: readonly Part[] = [
  { what: "a token", fields: () => ({ token: "abc" }) },
  { what: "nothing", fields: () => ({}) },
  { what: "a password", fields: () => ({ username: "me", password: "pä:ß" }) },
  {
    what: "a token and a password",
    fields: () => ({ token: "abc", username: "me", password: "x" }),
    plain: true,
  },
  { what: "a token file", fields: () => ({ tokenFile: "token" }) },
  { what: "a token file beside a token", fields: () => ({ tokenFile: "DIR/token", token: "other" }) },
  {
    what: "certificates as data",
    fields: ({ certPem, keyPem }) => ({
      "client-certificate-data": base64(certPem),
      "client-key-data": base64(keyPem),
    }),
  },
  {
    what: "certificates as files and a token",
    fields: () => ({ "client-certificate": "cert.pem", "client-key": "DIR/key.pem", token: "abc" }),
  },
  {
    what: "a certificate as data, its key as a file",
    fields: ({ certPem }) => ({ "client-certificate-data": base64(certPem), "client-key": "key.pem" }),
  },
  {
    what: "a plugin",
    fields: () => ({
      exec: { apiVersion: V1, command: "plugin", args: ["get-token"], interactiveMode: "IfAvailable" },
    }),
  },
  {
    what: "a plugin and a user name to act as",
    fields: () => ({ exec: { apiVersion: `${V1}beta1`, command: "./plugin", env: [] }, as: "jane" }),
  },
  {
    what: "oidc with an id-token",
    fields: ({ idToken }) => ({
      "auth-provider": {
        name: "oidc",
        config: { "idp-issuer-url": "https://idp", "client-id": "c", "id-token": idToken },
      },
    }),
  },
  { what: "the auth-provider azure", fields: () => ({ "auth-provider": { name: "azure", config: {} } }) },
  {
    what: "impersonation of every kind",
    fields: () => ({
      token: "abc",
      as: "Žaneta",
      "as-uid": "17",
      "as-groups": ["dev", "ops"],
      "as-user-extra": { "Scopes/é": ["a", "b"] },
    }),
  },
  { what: "groups without a user to act as", fields: () => ({ token: "abc", "as-groups": ["dev"] }) },
];

const CLUSTERS: readonly Part[] = [
  { what: "a server", fields: () => ({ server: "https://kube.example:6443" }) },
  {
    what: "an authority as data",
    fields: ({ caPem }) => ({ server: "https://h", "certificate-authority-data": base64(caPem) }),
  },
  {
    what: "an authority as a file",
    fields: () => ({ server: "https://h", "certificate-authority": "ca.pem" }),
  },
  { what: "an unverified server", fields: () => ({ server: "https://h", "insecure-skip-tls-verify": true }) },
  {
    what: "an authority and no verification",
    fields: () => ({
      server: "https://h",
      "insecure-skip-tls-verify": true,
      "certificate-authority": "ca.pem",
    }),
  },
  { what: "a path", fields: () => ({ server: "https://rancher.example/k8s/clusters/c-m-1/" }) },
  { what: "an IPv6 address", fields: () => ({ server: "https://[fd00::1]:6443" }) },
  {
    what: "a server name",
    fields: () => ({ server: "https://10.0.0.1:6443", "tls-server-name": "kubernetes.default" }),
  },
  {
    what: "an HTTP proxy",
    fields: () => ({ server: "https://h", "proxy-url": "http://proxy:3128" }),
  },
  {
    what: "a SOCKS proxy, unverified, by address",
    fields: () => ({
      server: "https://10.0.0.1",
      "proxy-url": "socks5://proxy:1080",
      "insecure-skip-tls-verify": true,
    }),
  },
  { what: "a plain server", fields: () => ({ server: "http://127.0.0.1:8001" }), plain: true },
  {
    what: "a plain server with an authority",
    fields: () => ({ server: "http://127.0.0.1:8001", "certificate-authority": "ca.pem" }),
    plain: true,
  },
  { what: "an address without a scheme", fields: () => ({ server: "localhost:8001" }), plain: true },
  {
    what: "an extension",
    fields: () => ({ server: "https://h", extensions: [{ name: "x", extension: 1 }] }),
  },
];

/** Ways to write the same down; JSON text is YAML. */
const WRITINGS: readonly (readonly [what: string, write: (config: object) => string])[] = [
  ["JSON", (config) => JSON.stringify(config)],
  ["JSON in lines, with a separator", (config) => `---\n${JSON.stringify(config, undefined, 2)}\n---\n`],
  [
    "CR LF and a byte order mark",
    (config) => `\ufeff${JSON.stringify(config, undefined, 2).replaceAll("\n", "\r\n")}`,
  ],
];

/** All of them. */
export function combinations(): Case[] {
  return USERS.flatMap((user, i) =>
    CLUSTERS.map((cluster, j): Case => {
      const [how, write] = WRITINGS[(i + j) % WRITINGS.length] ?? ["JSON", JSON.stringify];
      return {
        what: `${user.what}; ${cluster.what}; as ${how}`,
        file: (material) =>
          write({
            apiVersion: "v1",
            kind: "Config",
            "current-context": "dev",
            contexts: [{ name: "dev", context: { cluster: "here", user: "me", namespace: `team-${j}` } }],
            clusters: [{ name: "here", cluster: cluster.fields(material) }],
            users: [{ name: "me", user: user.fields(material) }],
            preferences: {},
          }),
        ...(user.plain === true && cluster.plain === true && { clientGo: PLAIN }),
      };
    })
  );
}

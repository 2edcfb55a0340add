/**
 * Kubeconfigs as people have them, and who of klatch, `@kubernetes/client-node` and client-go resolves each to
 * something else, and why klatch does as it does. Where nothing is said, all three agree.
 *
 * @module
 */

/** A kubeconfig. */
export interface Case {
  readonly what: string;
  /** The file. `DIR` in it stands for its folder, which has the files of {@link Material}. */
  readonly file: string | ((material: Material) => string | Uint8Array);
  /** Why klatch differs from client-node; absent if it does not. */
  readonly clientNode?: string;
  /** Why klatch differs from client-go; absent if it does not. */
  readonly clientGo?: string;
}

/** Certificates, a token that is valid, and what else cannot be written down here. */
export interface Material {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
  readonly otherKeyPem: string;
  readonly idToken: string;
}

const YAML = "client-node reads YAML 1.2, Kubernetes' tools and klatch read 1.1";
const MERGE = "client-node ignores merge keys, as YAML 1.2 does";
const STRICT = "klatch refuses what client-node passes on to the server, or drops";
const LENIENT = "klatch looks only at what the context refers to; client-go decodes the whole file strictly";
const LOST = "client-node drops the field";
const NAMELESS = "client-node wants a name in every entry";
const PLAIN = "client-node sends credentials over plain HTTP; klatch and kubectl do not";
const SAFER = "klatch refuses it with a hint; client-go sends a request that cannot succeed";

const HEAD = `apiVersion: v1
kind: Config
current-context: dev
`;
const CONTEXT = `contexts:
- {name: dev, context: {cluster: here, user: me}}
`;
const CLUSTER = `clusters:
- {name: here, cluster: {server: "https://kube.example:6443"}}
`;

/** A kubeconfig with these lines as its user. */
function user(lines: string, cluster = CLUSTER, context = CONTEXT): string {
  return `${HEAD}${context}${cluster}users:\n- name: me\n  user:\n${lines}`;
}

/** A kubeconfig with these fields as its cluster, and a token. */
function cluster(fields: string, token = "    token: abc\n"): string {
  return user(token, `clusters:\n- name: here\n  cluster: {${fields}}\n`);
}

function server(text: string): string {
  return cluster(`server: ${JSON.stringify(text)}`);
}

/** A kubeconfig with this text as its token, as it stands in YAML. */
const token = (yaml: string) => user(`    token: ${yaml}\n`);

const exec = (fields: string) => user(`    exec: {${fields}}\n`);

const V1BETA1 = "apiVersion: client.authentication.k8s.io/v1beta1";

function utf16(text: string, littleEndian: boolean, mark = "\ufeff"): Uint8Array {
  const bytes = new DataView(new ArrayBuffer((mark + text).length * 2));
  Array.from(mark + text, (unit, i) => bytes.setUint16(i * 2, unit.charCodeAt(0), littleEndian));
  return new Uint8Array(bytes.buffer);
}

const base64 = (text: string) => new TextEncoder().encode(text).toBase64();

const broken = "-----BEGIN CERTIFICATE-----\nAAAA!\n-----END CERTIFICATE-----\n";

/** The table. */
export const CASES: readonly Case[] = [
  // Users.
  { what: "a token", file: token("abc") },
  { what: "a user without anything", file: user("    {}\n") },
  { what: "a user that is null", file: `${HEAD}${CONTEXT}${CLUSTER}users:\n- {name: me, user: null}\n` },
  { what: "a password", file: user("    username: me\n    password: secret\n") },
  {
    what: "a user name alone",
    file: user("    username: me\n"),
    clientNode: 'client-node sends the password "null" or "undefined"',
  },
  {
    what: "a token and a password",
    file: user("    token: abc\n    username: me\n    password: secret\n"),
    clientNode: "klatch and client-go refuse contradictory credentials",
  },
  { what: "a token file", file: user("    tokenFile: DIR/token\n"), clientNode: LOST },
  { what: "a token file beside the kubeconfig", file: user("    tokenFile: token\n"), clientNode: LOST },
  {
    what: "a token file that is not there",
    file: user("    tokenFile: none\n"),
    clientNode: LOST,
  },
  { what: "the field token-file", file: user("    token-file: DIR/token\n"), clientNode: "it is no field" },
  {
    what: "client certificates as data",
    file: ({ certPem, keyPem }) =>
      user(`    client-certificate-data: ${base64(certPem)}\n    client-key-data: ${base64(keyPem)}\n`),
  },
  {
    what: "client certificates as files beside the kubeconfig",
    file: user("    client-certificate: cert.pem\n    client-key: key.pem\n"),
  },
  {
    what: "client certificates as base64 in lines",
    file: ({ certPem, keyPem }) =>
      user(
        `    client-certificate-data: |\n${
          base64(certPem).replace(/.{1,64}/g, "      $&\n")
        }    client-key-data: ${base64(keyPem)}\n`,
      ),
  },
  {
    what: "a client certificate without a key",
    file: user("    client-certificate: cert.pem\n"),
    clientNode: STRICT,
  },
  {
    what: "a client certificate with another's key",
    file: user("    client-certificate: cert.pem\n    client-key: other.pem\n"),
    clientNode: STRICT,
    clientGo: "client-go finds out when it connects; the runtime would abort the process then",
  },
  {
    what: "an id-token that is valid",
    file: ({ idToken }) =>
      user(
        `    auth-provider: {name: oidc, config: {idp-issuer-url: "https://idp", client-id: c, id-token: ${idToken}}}\n`,
      ),
  },
  {
    what: "oidc without an issuer",
    file: ({ idToken }) =>
      user(`    auth-provider: {name: oidc, config: {client-id: c, id-token: ${idToken}}}\n`),
    clientNode: STRICT,
  },
  {
    what: "oidc and a token",
    file: user(
      "    token: abc\n    auth-provider: {name: oidc, config: {idp-issuer-url: i, client-id: c}}\n",
    ),
  },
  {
    what: "the auth-provider gcp",
    file: user("    auth-provider: {name: gcp, config: {access-token: x}}\n"),
    clientNode: "client-node still has the provider",
  },
  { what: "an exec plugin", file: exec(`${V1BETA1}, command: plugin, args: [a, b]`) },
  {
    what: "an exec plugin beside the kubeconfig",
    file: exec(`${V1BETA1}, command: ./plugin`),
    clientNode: "client-node looks from the working directory",
  },
  {
    what: "an exec plugin with null for lists",
    file: exec(`${V1BETA1}, command: plugin, args: null, env: null`),
  },
  {
    what: "an exec plugin and a token",
    file: user(`    token: abc\n    exec: {${V1BETA1}, command: plugin}\n`),
    clientNode: "client-node runs the plugin; klatch and client-go use what is written down",
  },
  {
    what: "an exec plugin of v1 without interactiveMode",
    file: exec("apiVersion: client.authentication.k8s.io/v1, command: p"),
    clientNode: STRICT,
  },
  {
    what: "an exec plugin of v1alpha1",
    file: exec("apiVersion: client.authentication.k8s.io/v1alpha1, command: p"),
    clientNode: STRICT,
  },
  { what: "an exec plugin without a command", file: exec(V1BETA1), clientNode: STRICT },
  {
    what: "an exec plugin with a number as an argument",
    file: exec(`${V1BETA1}, command: p, args: [5]`),
    clientNode: STRICT,
  },
  {
    what: "an exec plugin and an auth-provider",
    file: user(`    exec: {${V1BETA1}, command: p}\n    auth-provider: {name: oidc}\n`),
    clientNode: STRICT,
  },
  // Impersonation.
  { what: "as", file: user("    token: abc\n    as: jane\n") },
  { what: "as with letters of Latin-1", file: user("    as: jané\n") },
  { what: "as with letters beyond Latin-1", file: user("    as: Žaneta\n") },
  {
    what: "as-groups and as-uid",
    file: user("    as: a\n    as-uid: u\n    as-groups: [g, Žár]\n"),
    clientNode: LOST,
  },
  {
    what: "as-user-extra with keys that are escaped",
    file: user(`    as: a\n    as-user-extra: {"ex.com/é(%)#&|~!": [v], "a b": [w, ž]}\n`),
    clientNode: LOST,
  },
  { what: "as-user-extra {} without as", file: user("    token: abc\n    as-user-extra: {}\n") },
  { what: "as-user-extra without as", file: user("    as-user-extra: {a: [b]}\n"), clientNode: LOST },
  { what: "as-groups without as", file: user("    as-groups: [g]\n"), clientNode: LOST },
  { what: "a group that is null", file: user("    as: a\n    as-groups: [null, g]\n"), clientNode: LOST },
  {
    what: "an extra that is null",
    file: user("    as: a\n    as-user-extra: {b: null, c: [null, d]}\n"),
    clientNode: LOST,
  },
  {
    what: "as with a line break",
    file: user(`    as: "a\\nb"\n`),
    clientNode: STRICT,
    clientGo: SAFER,
  },
  {
    what: "as with a space at its end",
    file: user(`    as: "a "\n`),
    clientNode: STRICT,
    clientGo: "a header loses the space on the way, and another user is impersonated",
  },
  // Clusters.
  { what: "a server with a path", file: server("https://h/k8s/c-1/") },
  { what: "a server in capitals", file: server("HTTPS://H:6443") },
  {
    what: "a server with a query",
    file: server("https://h/a?b=c"),
    clientNode: "client-node appends paths to the query",
  },
  { what: "an IPv6 server", file: server("https://[::1]:6443") },
  { what: "a plain server", file: server("http://127.0.0.1:8001"), clientNode: PLAIN },
  { what: "localhost:8001", file: server("localhost:8001"), clientNode: STRICT },
  { what: "127.0.0.1:8001", file: server("127.0.0.1:8001"), clientNode: STRICT },
  { what: "[::1]:8001", file: server("[::1]:8001"), clientNode: STRICT },
  { what: "a host without a scheme", file: server("proxy.internal"), clientNode: STRICT },
  {
    what: "a host and TLS port without a scheme",
    file: server("kube.example:6443"),
    clientNode: STRICT,
    clientGo: "client-go speaks plain HTTP to a port that is for TLS; klatch says what is missing",
  },
  { what: "a host and path without a scheme", file: server("kube.example/path"), clientNode: STRICT },
  { what: "a server of another scheme", file: server("ftp://h"), clientNode: STRICT, clientGo: SAFER },
  { what: "a server in spaces", file: server(" https://h "), clientNode: STRICT },
  { what: "a server with a line break", file: server("https://h\n"), clientNode: STRICT },
  {
    what: "a password in the server",
    file: server("https://a:b@h"),
    clientNode: STRICT,
    clientGo: "klatch prints servers in messages, and does not want to print passwords",
  },
  { what: "no server", file: cluster("tls-server-name: x") },
  {
    what: "an authority",
    file: ({ caPem }) => cluster(`server: "https://h", certificate-authority-data: ${base64(caPem)}`),
  },
  {
    what: "an authority beside the kubeconfig",
    file: cluster(`server: "https://h", certificate-authority: ca.pem`),
  },
  {
    what: "an authority as data and as file",
    file: ({ caPem }) =>
      cluster(
        `server: "https://h", certificate-authority: none, certificate-authority-data: ${base64(caPem)}`,
      ),
    clientNode: "client-node reads the file first",
    clientGo: "the format says that the data overrides the file; client-go refuses both",
  },
  {
    what: "a bundle with one broken block",
    file: ({ caPem }) =>
      cluster(`server: "https://h", certificate-authority-data: ${base64(broken + caPem)}`),
    clientNode: "klatch and client-go pass over a broken block, and client-node hands it to OpenSSL",
    clientGo: "klatch shows the bundle without the broken block; the same authorities are trusted",
  },
  {
    what: "a bundle of nothing but broken blocks",
    file: cluster(`server: "https://h", certificate-authority-data: ${base64(broken)}`),
    clientNode: STRICT,
  },
  {
    what: "an authority that is not base64",
    file: cluster(`server: "https://h", certificate-authority-data: "%%%"`),
    clientNode: STRICT,
  },
  {
    what: "an authority file that is not there",
    file: cluster(`server: "https://h", certificate-authority: none`),
  },
  {
    what: "a broken authority for a plain server",
    file: cluster(`server: "http://h", certificate-authority-data: ${base64("hello")}`),
    clientNode: PLAIN,
  },
  {
    what: "an authority file that is not there for a plain server",
    file: cluster(`server: "http://h", certificate-authority: none`),
    clientNode: "klatch does not read what it does not need",
    clientGo: "klatch does not read what it does not need",
  },
  { what: "an unverified server", file: cluster(`server: "https://h", insecure-skip-tls-verify: true`) },
  {
    what: "an unverified server with an authority",
    file: cluster(`server: "https://h", insecure-skip-tls-verify: true, certificate-authority: ca.pem`),
    clientNode: STRICT,
  },
  {
    what: "yes for true",
    file: cluster(`server: "https://h", insecure-skip-tls-verify: yes`),
    clientNode: YAML,
  },
  {
    what: "On for true",
    file: cluster(`server: "https://h", insecure-skip-tls-verify: On`),
    clientNode: YAML,
  },
  { what: "y for true", file: cluster(`server: "https://h", insecure-skip-tls-verify: y`), clientNode: YAML },
  {
    what: "true in quotes",
    file: cluster(`server: "https://h", insecure-skip-tls-verify: "true"`),
    clientNode: "client-node takes it for false",
  },
  { what: "a server name", file: cluster(`server: "https://h", tls-server-name: kube`) },
  { what: "a proxy", file: cluster(`server: "https://h", proxy-url: "http://proxy:3128"`) },
  { what: "a SOCKS proxy", file: cluster(`server: "https://h", proxy-url: "socks5://proxy:1080"`) },
  {
    what: "a SOCKS proxy that resolves names",
    file: cluster(`server: "https://h", proxy-url: "socks5h://proxy:1080"`),
    clientGo: "the same as socks5, and curl's name for it",
  },
  {
    what: "a proxy of another scheme",
    file: cluster(`server: "https://h", proxy-url: "ftp://proxy"`),
    clientNode: STRICT,
  },
  {
    what: "a proxy without a scheme",
    file: cluster(`server: "https://h", proxy-url: "proxy:3128"`),
    clientNode: STRICT,
  },
  // Contexts and references.
  {
    what: "a namespace",
    file: user(
      "    token: abc\n",
      CLUSTER,
      "contexts:\n- {name: dev, context: {cluster: here, user: me, namespace: team}}\n",
    ),
  },
  {
    what: "a namespace that cannot be one",
    file: user(
      "    token: abc\n",
      CLUSTER,
      "contexts:\n- {name: dev, context: {cluster: here, user: me, namespace: A_b}}\n",
    ),
    clientNode: STRICT,
    clientGo: SAFER,
  },
  {
    what: "a namespace that is a number",
    file: user(
      "    token: abc\n",
      CLUSTER,
      "contexts:\n- {name: dev, context: {cluster: here, user: me, namespace: 12}}\n",
    ),
    clientNode: STRICT,
  },
  {
    what: "no user in the context",
    file: user("    token: abc\n", CLUSTER, "contexts:\n- {name: dev, context: {cluster: here}}\n"),
  },
  {
    what: "a user that does not exist",
    file: `${HEAD}${CONTEXT}${CLUSTER}`,
    clientNode: "klatch refuses it; client-node sends the request without credentials",
    clientGo: "klatch refuses it; client-go sends the request without credentials",
  },
  {
    what: "a cluster that does not exist",
    file: `${HEAD}${CONTEXT}users: [{name: me, user: {token: abc}}]\n`,
  },
  {
    what: "a current context that does not exist",
    file: token("abc").replace("current-context: dev", "current-context: x"),
  },
  { what: "no current context", file: token("abc").replace("current-context: dev\n", "") },
  {
    what: "a name twice",
    file:
      `${HEAD}${CONTEXT}${CLUSTER}users:\n- {name: me, user: {token: a}}\n- {name: me, user: {token: b}}\n`,
    clientNode: "client-node takes the first; klatch and client-go refuse the file",
  },
  {
    what: "null entries in lists",
    file:
      `${HEAD}contexts: [null, {name: dev, context: {cluster: here, user: me}}]\nclusters: [null, {name: here, cluster: {server: "https://h"}}]\nusers: [null, {name: me, user: {token: abc}}]\n`,
    clientNode: NAMELESS,
  },
  {
    what: "a user without a name",
    file:
      `${HEAD}contexts:\n- {name: dev, context: {cluster: here, user: ""}}\n${CLUSTER}users: [{user: {token: abc}}]\n`,
    clientNode: NAMELESS,
  },
  {
    what: "an entry that nobody refers to and that is wrong",
    file: token("abc") + "- {name: other, user: {token: 5}}\n",
    clientGo: LENIENT,
  },
  { what: "a field that nobody knows", file: token("abc") + "    tokn: x\n" },
  { what: "a field in capitals", file: user("    Token: abc\n") },
  { what: "another kind", file: token("abc").replace("kind: Config", "kind: Pod"), clientNode: STRICT },
  {
    what: "another apiVersion",
    file: token("abc").replace("apiVersion: v1", "apiVersion: v2"),
    clientNode: STRICT,
  },
  { what: "neither kind nor apiVersion", file: token("abc").replace(/^(kind|apiVersion): .*\n/gm, "") },
  // YAML.
  {
    what: "JSON",
    file: JSON.stringify({
      "current-context": "dev",
      contexts: [{ name: "dev", context: { cluster: "here", user: "me" } }],
      clusters: [{ name: "here", cluster: { server: "https://h" } }],
      users: [{ name: "me", user: { token: "abc" } }],
    }),
  },
  {
    what: "a merge key",
    clientNode: MERGE,
    file: `base: &base {token: base, as: jane}\n` + user("    <<: *base\n    token: abc\n"),
  },
  {
    what: "a merge key behind the key that it merges",
    file: `base: &base {token: base}\n` + user("    token: abc\n    <<: *base\n"),
    clientGo: "client-go's parser lets the merged value win; YAML says that the written one does",
  },
  {
    what: "a merge of the cluster's authority",
    clientNode: MERGE,
    file: `base: &base {certificate-authority: ca.pem}\n` + cluster(`<<: *base, server: "https://h"`),
  },
  { what: "a tab before a key", file: user("\ttoken: abc\n") },
  { what: "a tab behind spaces before a key", file: user("    as: jane\n    \ttoken: abc\n") },
  { what: "a tab before a value", file: user("    token:\tabc\n") },
  {
    what: "a separator at the end",
    file: token("abc") + "---\n",
    clientNode: "client-node reads a single document only",
  },
  {
    what: "a second document",
    file: token("abc") + "---\nusers: []\n",
    clientNode: "client-node reads a single document only",
  },
  {
    what: "a second document that is malformed",
    file: token("abc") + "---\n[\n",
    clientNode: "client-node reads a single document only",
  },
  {
    what: "a key twice",
    file: user("    token: one\n    token: two\n"),
    clientNode: "client-node refuses it; klatch and client-go take the later",
  },
  {
    what: "UTF-16, little endian",
    file: () => utf16(token("abc"), true),
    clientNode: "client-node reads UTF-8 only",
  },
  {
    what: "UTF-16, big endian",
    file: () => utf16(token("abc"), false),
    clientNode: "client-node reads UTF-8 only",
  },
  { what: "UTF-16 without a mark", file: () => utf16(token("abc"), true, "") },
  { what: "a byte order mark", file: "\ufeff" + token("abc") },
  {
    what: "Latin-1",
    file: () => Uint8Array.from(user("    as: jané\n"), (letter) => letter.charCodeAt(0)),
    clientNode: "client-node replaces what is not UTF-8",
  },
  { what: "a control character", file: token("a\x01b") },
  { what: "lines that end in CR LF", file: token("abc").replaceAll("\n", "\r\n") },
  { what: "lines that end in CR", file: token("abc").replaceAll("\n", "\r") },
  { what: "a token that looks like base 60", file: token("12:30:45") },
  {
    what: "a token that looks like a date",
    file: token("2001-01-01"),
  },
  { what: "a token that is a number", file: token("12345"), clientNode: STRICT },
  { what: "a token that is an octal number", file: token("0123"), clientNode: STRICT },
  { what: "a token that is yes", file: token("yes"), clientNode: YAML },
  { what: "a token that is null", file: token("~") },
  { what: "a token in lines", file: user("    token: >-\n      abc\n") },
  { what: "a token with a tag", file: token("!!str 5") },
  {
    what: "a token with an unknown tag",
    file: token("!mine abc"),
    clientNode: "client-node refuses unknown tags",
  },
  { what: "an alias of nothing", file: token("*nothing") },
  { what: "an unfinished collection", file: token("[a") },
  { what: "a directive for YAML 1.1", file: `%YAML 1.1\n---\n${token("abc")}` },
  { what: "a list", file: "- a\n" },
  { what: "nothing", file: "" },
  { what: "a comment", file: "# nothing\n" },
];

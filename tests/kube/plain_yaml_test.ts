import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater } from "@std/assert";
import { parse } from "@std/yaml";
import { parsePlainYaml } from "../../lib/kube/config/plain_yaml.ts";
import { Random } from "../sim/random.ts";

/** As `kubectl config` and kind write it. */
const KIND = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTi==
    server: https://127.0.0.1:40123
  name: kind-kind
contexts:
- context:
    cluster: kind-kind
    user: kind-kind
  name: kind-kind
current-context: kind-kind
kind: Config
preferences: {}
users:
- name: kind-kind
  user:
    client-certificate-data: LS0tLS1CRUdJTi+/==
    client-key-data: LS0tLS1CRUdJTi=
`;

/** As the cloud providers' tools write it, for kubectl and for minikube. */
const EXEC = `---
# written by hand
apiVersion: "v1"
clusters:
  - cluster:
      certificate-authority: /home/me/.minikube/ca.crt
      extensions:
        - extension:
            last-update: Tue, 08 Oct 2024 17:00:00 UTC
            provider: minikube.sigs.k8s.io
          name: cluster_info
      server: 'https://[::1]:8443'
    name: arn:aws:eks:us-west-2:123456789012:cluster/mine

users:
  - name: arn:aws:eks:us-west-2:123456789012:cluster/mine
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1beta1
        args:
        - --region
        - us-west-2
        - -i
        - "007"
        command: aws
        env: null
        interactiveMode: IfAvailable
        provideClusterInfo: false
      token: ""
      as-groups: []
      empty:
`;

/** Documents, separated by broken bars; an arrow stands for a line break. */
function listed(text: string): string[] {
  return text.split(/¦\n|¦/).map((each) => each.replaceAll("↵", "\n"));
}

/** What is YAML, or looks like it, and means something else than it seems to at a glance. */
const HOSTILE = [
  ...listed(` ¦↵¦---¦---↵¦...¦# only this¦text¦- a¦[]¦{}¦null¦%YAML 1.2↵---↵a: b¦a¦a:¦a: ¦a:b¦a:  b¦a: b ¦
a :b¦a: b: c¦a: b:¦a: b #c¦a: b#c¦a: #c¦a: - b¦a: ~¦a: Null¦a: NULL¦a: True¦a: yes¦a: No¦a: on¦
a: 1¦a: 01¦a: 0x1f¦a: 0o17¦a: 1e3¦a: .5¦a: -1¦a: +1¦a: -.inf¦a: .NaN¦a: 1_000¦a: 12:30¦
a: 2024-10-08¦a: &x b¦a: *x¦a: !!str b¦a: ! b¦a: |↵  b¦a: >-↵  b¦a: @b¦a: \`b¦a: %b¦a: ? b¦
a: {b: c}¦a: [b, c]¦a: {}b¦a: { }¦a: {} #c¦a: []↵- b¦a: b, c¦a: b]¦a: ]b¦a: b{}¦a: "b¦a: b"¦
a: "b\\n"¦a: "b"c¦a: "b" "c"¦a: 'b''c'¦a: 'b¦a: "b #c: d"¦a: ''¦a: "b↵c"¦a: 'b↵  c'¦a: b↵  c¦
a: b↵  c: d¦a:↵  b↵  c¦a: b↵↵  c¦a: b↵# c↵  d¦a: b↵a: c¦a:↵  b: c↵  b: d¦"a": b¦'a': b¦? a↵: b¦
1: b¦true: b¦null: b¦<<: b¦Null: a¦TRUE: a¦__proto__: a¦constructor: a¦toString: a¦
hasOwnProperty:↵- a¦a: __proto__¦a:↵- b¦a:↵ - b↵ - c¦a:↵- b↵ - c¦a:↵ - b↵- c¦a:↵- b↵c: d¦a:↵-b¦
a:↵-  b¦a:↵- ↵¦a:↵-¦a:↵- - b¦a:↵- b:↵- c¦a:↵- b:↵  - c↵  d: e¦a:↵- b: c↵  d: e↵- f: g¦
a:↵- b: c↵   d: e¦a:↵- b: c↵ d: e¦a:↵-↵  b: c¦a:↵- b:↵    c: d↵  e: f¦a:↵- # b↵  c: d¦
a:↵- b: c↵↵↵- d¦a:↵    b: c↵  d: e¦a:↵  b: c↵    d: e¦a:↵  b: c↵ d: e¦ a: b¦ a: b↵c: d¦
  a: b↵  c: d¦a:↵  b:↵    c:↵  d: e↵f: g¦a:↵# b↵  c: d¦a:↵      # b↵  c: d¦a: b↵---↵c: d¦
a: b↵...¦a: ---¦--- a: b¦--- # a↵b: c¦# a↵---↵b: c¦---↵---↵a: b¦a:↵--- b¦a: --- b¦a:↵- ---¦
a:↵- --b¦a:\tb¦a:↵\tb: c¦a: b\t¦a: b\r↵c: d\r↵¦\ufeffa: b¦a: \u0000¦a: \u0085b¦a: \u2028b¦a: ü¦
a: b\\¦a: //b¦a: /¦a: -¦a: --¦a: -b¦a: ---b¦a: --- ¦a: null ¦a: nullx¦a: true:`),
  ...["", `${"k".repeat(64)}: a`, `${"k".repeat(2000)}: a`, `a: ${"v".repeat(5000)}`],
  Array.from({ length: 60 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  Array.from({ length: 3000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  `a:\n${"- ".repeat(3000)}b`,
];

const SCALARS = listed("a¦b-c¦name¦null¦True¦false¦x.y¦0¦1.5¦-1¦~¦--flag¦https://h:1/p¦a b");

/** What is put into documents. */
const PIECES = [
  ...SCALARS,
  ...listed(
    `: ¦:¦ ¦  ¦- ¦-¦↵¦↵¦↵  ¦↵    ¦↵- ¦↵  - ¦#¦ #¦"¦'¦\\¦{}¦[]¦{¦]¦,¦&¦*¦!¦|¦>¦%¦@¦\`¦?¦\t¦---¦...¦é¦"q"¦'q'`,
  ),
];

/** A document with mappings and sequences as they are usually nested, and mostly with scalars that are known. */
function generated(random: Random, indent = 0): string {
  const pad = " ".repeat(indent);
  const lines: string[] = [];
  for (let i = 1 + random.below(3); i > 0; i--) {
    const key = `${random.pick(["a", "name", "user", "x.y"])}${random.chance(0.9) ? i : ""}`;
    const deeper = indent + 1 + random.below(4);
    const kind = indent > 12 ? 0 : random.below(6);
    if (kind < 3) lines.push(`${pad}${key}: ${random.pick(SCALARS)}`);
    else if (kind === 3) lines.push(`${pad}${key}:`, generated(random, deeper));
    else {
      const dash = random.chance(0.5) ? indent : deeper;
      const inner = generated(random, dash + 2);
      lines.push(`${pad}${key}:`, `${" ".repeat(dash)}- ${inner.trimStart()}`);
    }
  }
  return lines.join("\n");
}

/** The same with a few pieces put in, taken out or written over. */
function disturbed(random: Random, text: string): string {
  let result = text;
  for (let i = random.below(4); i > 0; i--) {
    const at = random.below(result.length + 1);
    result = result.slice(0, at) + (random.chance(0.7) ? random.pick(PIECES) : "") +
      result.slice(at + random.below(4));
  }
  return result;
}

/** Whether the document was read here; then as the library reads it. */
function agrees(text: string): boolean {
  const plain = parsePlainYaml(text);
  if (plain === undefined) return false;
  let expected: unknown;
  try {
    expected = parse(text, { schema: "core" });
  } catch (error) {
    throw new Error(`the library refuses ${JSON.stringify(text)}`, { cause: error });
  }
  assertEquals(plain, expected, JSON.stringify(text));
  return true;
}

describe("plain YAML", () => {
  it("is read where it is what kubectl, kind and the clouds' tools write", () => {
    for (const text of [KIND, EXEC]) assert(agrees(text), text);
  });

  it("is never read differently from the library, however odd the document", () => {
    assertGreater(HOSTILE.filter(agrees).length, 20);
  });

  it("is never read differently from the library, whatever is put into a document", () => {
    const random = new Random(1);
    let read = 0;
    const documents = 4000;
    for (let i = 0; i < documents; i++) {
      const text = i % 4 === 0 ? random.pick([KIND, EXEC]) : generated(random);
      if (agrees(disturbed(random, text))) read++;
    }
    assertGreater(read, documents / 10);
    assertGreater(documents - read, documents / 10);
  });
});

import { after, before, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertNotEquals } from "@std/assert";
import { haveOpenssl } from "../support/certificates.ts";
import { kubeconfigResolver } from "../support/go_contender.ts";
import { makeCertificate } from "../support/tls_server.ts";
import { type Case, CASES, type Material } from "./kubeconfigs/cases.ts";
import { combinations } from "./kubeconfigs/combinations.ts";
import { byClientGo, byClientNode, byKlatch, type Outcome } from "./kubeconfigs/resolution.ts";

let dir: string;
const combined = combinations();
const ours = new Map<Case, Outcome>();
const files = new Map<Case, string>();

const skip = !haveOpenssl() && "openssl is not on PATH";

before(async () => {
  if (skip) return;
  dir = await Deno.makeTempDir({ prefix: "klatch-table-" });
  const material = await makeMaterial();
  for (const [i, each] of [...CASES, ...combined].entries()) {
    const content = typeof each.file === "string" ? each.file : each.file(material);
    const file = `${dir}/config-${i}`;
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content.replaceAll("DIR", dir))
      : content;
    await Deno.writeFile(file, bytes);
    files.set(each, file);
    ours.set(each, await byKlatch(file));
  }
});
after(async () => {
  if (dir !== undefined) await Deno.remove(dir, { recursive: true });
});

async function makeMaterial(): Promise<Material> {
  const ca = await makeCertificate(dir, { name: "ca" });
  const { certPem, keyPem } = await makeCertificate(dir, { name: "me" }, ca);
  const other = await makeCertificate(dir, { name: "other" }, ca);
  const claims = btoa(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3600 })).replaceAll("=", "");
  const material = {
    caPem: ca.certPem,
    certPem,
    keyPem,
    otherKeyPem: other.keyPem,
    idToken: `e30.${claims}.c2ln`,
  };
  const written = {
    "ca.pem": ca.certPem,
    "cert.pem": certPem,
    "key.pem": keyPem,
    "other.pem": other.keyPem,
    token: "abc",
  };
  for (const [name, text] of Object.entries(written)) await Deno.writeTextFile(`${dir}/${name}`, text);
  return material;
}

/** Refusals are compared as such: the words are each program's own. */
function comparable(outcome: Outcome | undefined): unknown {
  return outcome !== undefined && "refused" in outcome ? "refused" : outcome;
}

function compare(each: Case, theirs: Outcome | undefined, difference: string | undefined): void {
  const [klatch, other] = [comparable(ours.get(each)), comparable(theirs)];
  const said = JSON.stringify({ what: each.what, klatch: ours.get(each), theirs });
  if (difference === undefined) assertEquals(klatch, other, said);
  else assertNotEquals(klatch, other, `they agree, although the table says: ${difference}\n${said}`);
}

describe("a kubeconfig comes to the same as with @kubernetes/client-node", { skip }, () => {
  for (const each of CASES) {
    const name = each.clientNode === undefined ? each.what : `${each.what}, except: ${each.clientNode}`;
    it(name, async () => compare(each, await byClientNode(files.get(each) ?? ""), each.clientNode));
  }

  it("in a table of more than a hundred, each described once", () => {
    assertGreater(CASES.length, 100);
    assertEquals(new Set(CASES.map(({ what }) => what)).size, CASES.length);
  });
});

const program = await kubeconfigResolver();

describe("a kubeconfig comes to the same as with client-go", { skip }, () => {
  const missing = "missing" in program && `needs bench/client_go: ${program.missing}`;
  let theirs: Outcome[];
  before(async () => {
    if ("path" in program && !skip) theirs = await byClientGo(program.path, [...files.values()]);
  });
  for (const [i, each] of CASES.entries()) {
    const name = each.clientGo === undefined ? each.what : `${each.what}, except: ${each.clientGo}`;
    it(name, { skip: missing }, () => {
      assert(theirs[i] !== undefined);
      compare(each, theirs[i], each.clientGo);
    });
  }

  it(
    "in every combination of users, clusters and ways of writing, except: plain servers of contradictory users",
    {
      skip: missing,
    },
    () => {
      assertGreater(combined.length, 200);
      for (const [i, each] of combined.entries()) {
        const outcome = theirs[CASES.length + i];
        assert(outcome !== undefined, each.what);
        compare(each, outcome, each.clientGo);
      }
      assertEquals(combined.filter(({ clientGo }) => clientGo !== undefined).length, 3);
    },
  );
});

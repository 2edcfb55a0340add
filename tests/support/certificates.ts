/**
 * Certificates for tests, made by openssl(1): a CA, a server certificate for the loopback addresses, client
 * certificates for any user, expired ones too. Keys are P-256, since RSA keys take longer to make than the rest
 * of a test. Nothing here is fit for anything but a test: keys lie about unencrypted.
 *
 * @module
 */

const OPENSSL = "openssl";
const VALID_DAYS = 2;

/** A certificate and its private key, both PEM; the key is PKCS #8. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Who a client certificate is made out to. */
export interface ClientSubject {
  /** The common name, which Kubernetes takes for the user name. */
  readonly user: string;
  /** The organisations, which Kubernetes takes for groups. */
  readonly groups?: readonly string[];
  /** Makes a certificate whose validity ended yesterday. */
  readonly expired?: boolean;
}

/**
 * Whether openssl can be run.
 *
 * @returns false where it is not on `PATH`.
 */
export function haveOpenssl(): boolean {
  try {
    return new Deno.Command(OPENSSL, { args: ["version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/**
 * A certificate authority in a directory: its certificate in `ca.crt`, its key in `ca.key`. Several processes may
 * sign with the same one at a time, since serial numbers are random.
 *
 * @example
 * ```ts
 * import { CertificateAuthority, haveOpenssl } from "./certificates.ts";
 *
 * if (haveOpenssl()) {
 *   const dir = await Deno.makeTempDir();
 *   const ca = await CertificateAuthority.create(dir);
 *   const alice = await ca.client({ user: "alice", groups: ["admins"] });
 *   if (!alice.certPem.startsWith("-----BEGIN CERTIFICATE")) throw new Error(alice.certPem);
 *   await Deno.remove(dir, { recursive: true });
 * }
 * ```
 */
export class CertificateAuthority {
  /** The CA's certificate. */
  readonly certFile: string;
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
    this.certFile = `${dir}/ca.crt`;
  }

  /**
   * Makes a new authority.
   *
   * @param dir an existing directory of its own.
   * @param name the common name.
   */
  static async create(dir: string, name = "klatch-test-ca"): Promise<CertificateAuthority> {
    await newKey(`${dir}/ca.key`);
    const subject = subjectOf(name);
    // deno-fmt-ignore
    await openssl(["req", "-x509", "-new", "-key", `${dir}/ca.key`, "-subj", subject, "-days", `${VALID_DAYS}`, "-out", `${dir}/ca.crt`]);
    return new CertificateAuthority(dir);
  }

  /** The authority that {@link CertificateAuthority.create} made in `dir`, maybe in another process. */
  static at(dir: string): CertificateAuthority {
    return new CertificateAuthority(dir);
  }

  /** A server certificate for 127.0.0.1, ::1, localhost and `kubernetes.default.svc`. */
  server(): Promise<KeyPair> {
    const names = "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:kubernetes.default.svc";
    return this.#sign(subjectOf("kube-apiserver"), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
  }

  /** A client certificate. */
  client(subject: ClientSubject): Promise<KeyPair> {
    const extensions = "extendedKeyUsage=clientAuth\n";
    return this.#sign(subjectOf(subject.user, subject.groups), extensions, subject.expired ? -1 : VALID_DAYS);
  }

  async #sign(subject: string, extensions: string, days = VALID_DAYS): Promise<KeyPair> {
    const dir = await Deno.makeTempDir({ dir: this.#dir, prefix: "sign-" });
    try {
      await newKey(`${dir}/key`);
      await openssl(["req", "-new", "-key", `${dir}/key`, "-subj", subject, "-utf8", "-out", `${dir}/csr`]);
      await Deno.writeTextFile(`${dir}/ext`, extensions);
      // deno-fmt-ignore
      await openssl(["x509", "-req", "-in", `${dir}/csr`, "-CA", this.certFile, "-CAkey", `${this.#dir}/ca.key`,
        "-set_serial", randomSerial(), "-days", `${days}`, "-extfile", `${dir}/ext`, "-out", `${dir}/crt`]);
      const [certPem, keyPem] = await Promise.all([
        Deno.readTextFile(`${dir}/crt`),
        Deno.readTextFile(`${dir}/key`),
      ]);
      return { certPem, keyPem };
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }
}

/**
 * Makes a private key and, beside it in `FILE.pub`, its public half: what a service account issuer needs.
 *
 * @param file where the private key goes.
 */
export async function signingKey(file: string): Promise<void> {
  await newKey(file);
  await openssl(["pkey", "-in", file, "-pubout", "-out", `${file}.pub`]);
}

function newKey(file: string): Promise<void> {
  return openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", file]);
}

/** openssl's `-subj` syntax; a slash in a value must be escaped. */
function subjectOf(name: string, organisations: readonly string[] = []): string {
  const escaped = (value: string) => value.replaceAll(/[\\/]/g, (found) => `\\${found}`);
  return [...organisations.map((o) => `/O=${escaped(o)}`), `/CN=${escaped(name)}`].join("");
}

function randomSerial(): string {
  return "0x4" + crypto.randomUUID().replaceAll("-", "").slice(1);
}

async function openssl(args: string[]): Promise<void> {
  const output = await new Deno.Command(OPENSSL, { args, stdin: "null", stdout: "null", stderr: "piped" })
    .output();
  if (!output.success) {
    throw new Error(`openssl ${args[0]} failed (${output.code}): ${new TextDecoder().decode(output.stderr)}`);
  }
}

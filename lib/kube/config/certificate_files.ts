/**
 * Keeps a client certificate fresh whose files are replaced while klatch runs: they are read again about once a minute,
 * and at once when the certificate has expired or the server refuses it. Nothing changes while the two files do not
 * fit together, as in the middle of a replacement.
 *
 * @module
 */

import { certificateFacts } from "./certificate.ts";
import type { Authenticator, Identity } from "./identity.ts";
import { checkKeyPair } from "./key_pair.ts";
import { readText } from "./read_file.ts";
import type { CertificateFiles, KeyPair } from "./types.ts";

/** The files are read at most this often as long as nothing speaks against the certificate. */
const READ_MS = 50_000;

/** The clocks that are needed. */
export interface CertificateClocks {
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  /** The wall clock, milliseconds since the Unix epoch: certificates expire by it. */
  readonly wallMs: () => number;
}

/** An authenticator that adds a client certificate to what another one gives. */
export class RotatingCertificate implements Authenticator {
  #identity: Identity | undefined;
  /** What the other one gave for `#identity`. */
  #inner: Identity | undefined;
  #readAtMs: number;

  /**
   * @param inner gives the rest of the identity.
   * @param pair the certificate as it was read.
   * @param files where it was read.
   */
  constructor(
    private readonly inner: Authenticator,
    private pair: KeyPair,
    private readonly files: CertificateFiles,
    private readonly clocks: CertificateClocks,
  ) {
    this.#readAtMs = clocks.nowMs();
  }

  async current(): Promise<Identity> {
    const { nowMs, wallMs } = this.clocks;
    const expired = certificateFacts(this.pair.certPem).notAfterMs < wallMs();
    if (expired || nowMs() - this.#readAtMs >= READ_MS) await this.#read();
    return this.#identityWith(await this.inner.current());
  }

  async renew(refused: Identity): Promise<Identity | undefined> {
    await this.#read();
    const inner = this.#inner === undefined ? undefined : await this.inner.renew(this.#inner);
    const identity = this.#identityWith(inner ?? this.#inner ?? {});
    const same = identity.authorization === refused.authorization &&
      identity.clientCert?.certPem === refused.clientCert?.certPem;
    return same ? undefined : identity;
  }

  close(): void {
    this.inner.close();
  }

  #identityWith(inner: Identity): Identity {
    if (this.#identity === undefined || this.#inner !== inner || this.#identity.clientCert !== this.pair) {
      this.#identity = { clientCert: this.pair, ...inner };
      this.#inner = inner;
    }
    return this.#identity;
  }

  async #read(): Promise<void> {
    this.#readAtMs = this.clocks.nowMs();
    try {
      const { certFile, keyFile } = this.files;
      const [certPem, keyPem] = await Promise.all([readText(certFile), readText(keyFile)]);
      if (certPem === this.pair.certPem && keyPem === this.pair.keyPem) return;
      this.pair = await checkKeyPair({ certPem, keyPem }, certFile);
    } catch {
      // What was read before is the best there is; the next refusal or the next minute leads here again.
    }
  }
}

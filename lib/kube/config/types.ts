/**
 * What klatch knows about a cluster once the configuration has been read: where it is, how it proves itself
 * and how we prove ourselves. Types only.
 *
 * @module
 */

/** Reads one environment variable. */
export type Env = (name: string) => string | undefined;

/** What the user asked for and what the process was given. */
export interface ConfigRequest {
  /** `--kubeconfig`: the only file to read; it must exist. */
  readonly kubeconfig?: string | undefined;
  /** `--context`: instead of `current-context`. */
  readonly context?: string | undefined;
  /** `--namespace`. */
  readonly namespace?: string | undefined;
  /**
   * The environment: `KLATCH_KUBECONFIG_DATA`, `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST`,
   * `KUBERNETES_SERVICE_PORT`, `POD_NAMESPACE`, `KLATCH_SERVICE_ACCOUNT_DIR`, and the proxy variables in both cases.
   */
  readonly env: Env;
  /** Ends the reading of files: a kubeconfig may be a FIFO that nobody writes to. */
  readonly signal?: AbortSignal | undefined;
}

/** A certificate chain and its private key, PEM. The pair has been checked to belong together. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** The files that a client certificate and its key were read from. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** An OpenID Connect provider and the tokens that it has given out, as the kubeconfig has them. */
export interface OidcProvider {
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** The only authorities to trust for the provider, PEM; without it, the system's. */
  readonly caPem: string | undefined;
  /** Whose it is, for messages. */
  readonly where: string;
  /** Where refreshed tokens are written back to; absent if they are from no file. */
  readonly store: { readonly file: string; readonly user: string } | undefined;
}

/** An exec plugin as the kubeconfig describes it. */
export interface ExecPlugin {
  readonly apiVersion: "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1";
  /** A name to look up in `PATH`, or an absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly interactiveMode: "Never" | "IfAvailable" | "Always";
  readonly installHint: string | undefined;
  /** The cluster as the plugin is to see it; absent unless `provideClusterInfo` asks for it. */
  readonly cluster: Readonly<Record<string, unknown>> | undefined;
}

/** How we prove who we are, besides a client certificate. */
export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  /** Read again as it rotates; `fallback` serves while it cannot be read. */
  | { readonly kind: "tokenFile"; readonly path: string; readonly fallback?: string }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "exec"; readonly plugin: ExecPlugin }
  | { readonly kind: "oidc"; readonly provider: OidcProvider };

/** A cluster and how to talk to it. */
export interface ClusterConfig {
  /** `https://host:port/path` without a slash at the end. */
  readonly server: string;
  /** The flag's, else the context's, else the pod's, else `default`. */
  readonly namespace: string;
  /** Where all this comes from, for messages: `context "dev" of /home/me/.kube/config`. */
  readonly source: string;
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  /** The only authorities to trust, PEM; without it, the system's. */
  readonly caPem?: string;
  /** The file that they were read from. */
  readonly caFile?: string;
  /** The name to expect in the server's certificate instead of the URL's. */
  readonly tlsServerName?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** The proxy to go through, already decided: absent means none, whatever the environment says. */
  readonly proxyUrl?: string;
  readonly clientCert?: KeyPair;
  /** Where the client certificate is read again when the server refuses it. */
  readonly clientCertFiles?: CertificateFiles;
  readonly credentials: Credentials;
  /**
   * Impersonation, as headers; a name may come more than once. Each character of a value stands for one byte of its
   * UTF-8.
   */
  readonly impersonation: readonly (readonly [string, string])[];
  /** What is odd about the way to this configuration, a line each; the transport says them. */
  readonly warnings?: readonly string[];
}

/**
 * Ways into a running control plane: kubeconfigs for any user, service account tokens, rights, namespaces, plain
 * requests, kubectl. All of it works from a description alone, so also in a process that did not start the control
 * plane. It starts and stops nothing.
 *
 * @module
 */

import { CertificateAuthority } from "./certificates.ts";
import { type AuditedRequest, readAuditLog } from "./audit_log.ts";
import { kubeconfigText } from "./kubeconfig_text.ts";
import { allow, type Rule, type Subject } from "./rights.ts";

/** Where a control plane is and what it is made of: all that another process needs to use it. */
export interface ControlPlaneDescription {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The directory with keys, logs and data; it goes when the control plane stops. */
  readonly dir: string;
  /** The directory of the binaries. */
  readonly assets: string;
  readonly pids: { readonly etcd: number; readonly apiserver: number };
}

/** An answer to {@link ControlPlaneAccess.request}. */
export interface Answer {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- an object of any kind, looked into by tests
  readonly body: any;
}

/** What a finished kubectl left. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The part of a control plane that every process may use. See {@link ControlPlaneDescription}. */
export class ControlPlaneAccess {
  readonly #described: ControlPlaneDescription;
  readonly #authority: CertificateAuthority;
  #client: Deno.HttpClient | undefined;
  #tokenClient: Deno.HttpClient | undefined;

  constructor(description: ControlPlaneDescription) {
    this.#described = description;
    this.#authority = CertificateAuthority.at(description.dir);
  }

  get url(): string {
    return this.#described.url;
  }
  get dir(): string {
    return this.#described.dir;
  }
  get caFile(): string {
    return `${this.dir}/ca.crt`;
  }
  get caPem(): string {
    return Deno.readTextFileSync(this.caFile);
  }
  /** The path of a kubeconfig of a member of `system:masters`, with a client certificate; namespace `default`. */
  get admin(): string {
    return `${this.dir}/admin.kubeconfig`;
  }
  get adminKubeconfigText(): string {
    return Deno.readTextFileSync(this.admin);
  }
  /** The audit log: every request of anyone but the API server itself, one JSON event a line. */
  get auditLog(): string {
    return `${this.dir}/audit.log`;
  }
  /** What a pod has in its environment, besides the directory of {@link ControlPlaneAccess.serviceAccountDir}. */
  get inClusterEnv(): Record<string, string> {
    return {
      KUBERNETES_SERVICE_HOST: this.#described.host,
      KUBERNETES_SERVICE_PORT: String(this.#described.port),
    };
  }

  /** The path of a kubeconfig with a client certificate for any user name, known to the cluster or not. */
  async userKubeconfig(
    user: string,
    options: { namespace?: string; groups?: string[]; expired?: boolean } = {},
  ): Promise<string> {
    const pair = await this.#authority.client({
      user,
      groups: options.groups ?? [],
      expired: options.expired ?? false,
    });
    return await this.#writeKubeconfig({ ...options, user, credentials: pair });
  }

  /** The path of a kubeconfig with a token of a service account, which is made if it does not exist. */
  async tokenKubeconfig(namespace: string, serviceAccount: string): Promise<string> {
    const token = await this.serviceAccountToken(namespace, serviceAccount);
    return await this.#writeKubeconfig({ namespace, user: serviceAccount, credentials: { token } });
  }

  /** A directory as the kubelet mounts it into a pod: `token`, `ca.crt`, `namespace`. */
  async serviceAccountDir(namespace: string, name: string): Promise<string> {
    const token = await this.serviceAccountToken(namespace, name);
    const dir = await Deno.makeTempDir({ dir: this.dir, prefix: "serviceaccount-" });
    await Deno.writeTextFile(`${dir}/token`, token);
    await Deno.writeTextFile(`${dir}/ca.crt`, this.caPem);
    await Deno.writeTextFile(`${dir}/namespace`, namespace);
    return dir;
  }

  /** A token for a service account, through the TokenRequest API; the account is made if it does not exist. */
  async serviceAccountToken(namespace: string, name: string, expirationSeconds = 3600): Promise<string> {
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await this.#create(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } }, [409]);
    const made = await this.#create(`${accounts}/${name}/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds },
    });
    return made.body.status.token;
  }

  /** Makes a namespace of its own, by which tests that share a control plane keep apart. */
  async freshNamespace(prefix = "test"): Promise<string> {
    const name = `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
    await this.createNamespace(name);
    return name;
  }

  async createNamespace(name: string): Promise<void> {
    await this.#create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }

  /**
   * Makes a Role and binds it, and waits until the API server goes by it: the authorizer learns of a new binding
   * a little after the write.
   */
  async allow(subject: Subject, namespace: string, rules: readonly Rule[]): Promise<void> {
    await allow((path, object) => this.#create(path, object), subject, namespace, rules);
  }

  /** Sends one request as admin, or as another with `bearer`. Does not throw on any status. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    options: { contentType?: string; bearer?: string; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": options.contentType ?? "application/json" }),
        ...(options.bearer === undefined ? {} : { authorization: `Bearer ${options.bearer}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      client: options.bearer === undefined ? this.#adminClient() : this.#anonymousClient(),
      signal: options.signal ?? AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  }

  /** Runs kubectl as admin. */
  async kubectl(args: readonly string[], stdin?: string): Promise<KubectlResult> {
    const child = new Deno.Command(`${this.#described.assets}/kubectl`, {
      args: [...args],
      clearEnv: true,
      env: { KUBECONFIG: this.admin, HOME: this.dir },
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (stdin !== undefined) await new Blob([stdin]).stream().pipeTo(child.stdin);
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Applies objects, as YAML text or as a value, on the server's side; nothing is added to them. */
  async apply(what: string | object): Promise<void> {
    const text = typeof what === "string" ? what : JSON.stringify(what);
    const result = await this.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], text);
    if (result.code !== 0) throw new Error(`kubectl apply failed (${result.code}): ${result.stderr}`);
  }

  /**
   * The requests that were answered, or have begun to be (watches), oldest first. An event may come a moment after
   * the client has its answer.
   */
  async audited(wanted: (request: AuditedRequest) => boolean = () => true): Promise<AuditedRequest[]> {
    return (await readAuditLog(this.auditLog)).filter(wanted);
  }

  /** Lets go of connections. */
  protected closeClients(): void {
    this.#client?.close();
    this.#tokenClient?.close();
    this.#client = this.#tokenClient = undefined;
  }

  #adminClient(): Deno.HttpClient {
    return this.#client ??= Deno.createHttpClient({
      caCerts: [this.caPem],
      cert: Deno.readTextFileSync(`${this.dir}/admin.crt`),
      key: Deno.readTextFileSync(`${this.dir}/admin.key`),
    });
  }

  #anonymousClient(): Deno.HttpClient {
    return this.#tokenClient ??= Deno.createHttpClient({ caCerts: [this.caPem] });
  }

  async #writeKubeconfig(
    parts: {
      namespace?: string;
      user: string;
      credentials: { certPem: string; keyPem: string } | { token: string };
    },
  ): Promise<string> {
    const file = await Deno.makeTempFile({ dir: this.dir, prefix: "user-", suffix: ".kubeconfig" });
    await Deno.writeTextFile(file, kubeconfigText({ ...parts, url: this.url, caPem: this.caPem }));
    return file;
  }

  async #create(path: string, object: unknown, tolerated: readonly number[] = []): Promise<Answer> {
    const answer = await this.request("POST", path, object);
    if (answer.status >= 300 && !tolerated.includes(answer.status)) {
      throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer;
  }
}

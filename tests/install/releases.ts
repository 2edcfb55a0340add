/**
 * A server with a release, as install.sh downloads it, whole or broken.
 *
 * @module
 */

/** How the archive is served. */
export type Fault =
  | "none"
  | "shorter"
  | "cut off"
  | "tampered"
  | "no archive"
  | "no sums"
  | "not listed"
  | "not runnable";

type Archives = Readonly<Record<"good" | "folder" | "not runnable", Uint8Array<ArrayBuffer>>>;

/** A server on the loopback interface. */
export class Releases implements AsyncDisposable {
  /** What was asked for, in order. */
  readonly requests: string[] = [];
  fault: Fault = "none";
  /** Whether the archive holds the directory for containers. */
  folder = false;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #archives: Archives;

  private constructor(archives: Archives) {
    this.#archives = archives;
    const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
    this.#server = Deno.serve(options, ({ url }) => this.#serve(new URL(url).pathname));
  }

  static async start(): Promise<Releases> {
    return new Releases({
      good: await archiveOf("klatch", "#!/bin/sh\necho klatch 9.9.9\n"),
      folder: await archiveOf("klatch/klatch", "#!/bin/sh\necho klatch 9.9.9\n"),
      "not runnable": await archiveOf("klatch", "#!/bin/sh\necho no such library >&2; exit 127\n"),
    });
  }

  /** What `--from` is given. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  #archive(): Uint8Array<ArrayBuffer> {
    if (this.folder) return this.#archives.folder;
    return this.#archives[this.fault === "not runnable" ? "not runnable" : "good"];
  }

  async #serve(path: string): Promise<Response> {
    this.requests.push(path);
    const name = path.split("/").at(-1) ?? "";
    const missing = new Response("there is no such file\n", { status: 404 });
    if (name === "SHA256SUMS") return this.fault === "no sums" ? missing : new Response(await this.#sums());
    return this.fault === "no archive" ? missing : this.#download();
  }

  async #sums(): Promise<string> {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", this.#archive())).toHex();
    const platforms = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "linux-x64-folder"];
    const names = this.fault === "not listed" ? ["other"] : platforms.map((each) => `klatch-${each}.tar.gz`);
    return names.map((name) => `${digest}  ${name}\n`).join("");
  }

  #download(): Response {
    const bytes = this.#archive().slice();
    if (this.fault === "shorter") return new Response(bytes.slice(0, bytes.length / 2));
    if (this.fault === "tampered") bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
    if (this.fault !== "cut off") return new Response(bytes);
    const headers = { "content-length": String(bytes.length) };
    return new Response(new Blob([bytes.slice(0, 50)]).stream(), { headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** An archive with one program. */
async function archiveOf(path: string, program: string): Promise<Uint8Array<ArrayBuffer>> {
  const dir = await Deno.makeTempDir({ prefix: "klatch-release-" });
  try {
    if (path.includes("/")) await Deno.mkdir(`${dir}/klatch`);
    await Deno.writeTextFile(`${dir}/${path}`, program, { mode: 0o755 });
    await new Deno.Command("tar", { args: ["-czf", `${dir}/a.tar.gz`, "-C", dir, "klatch"] }).output();
    return await Deno.readFile(`${dir}/a.tar.gz`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

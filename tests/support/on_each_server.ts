/**
 * What a suite over every API server needs before its first test and after its last.
 *
 * @module
 */
import { after, before, describe } from "@std/testing/bdd";
import { type ServerChoice, type TestServer, testServers } from "./servers.ts";

/** Where the tests of a suite take place. To be read in tests only: it is there when they run. */
export interface Ground {
  readonly server: TestServer;
  /** A namespace of the suite's own. */
  readonly namespace: string;
}

/** What a suite may need beyond a server. */
export interface SuiteOptions {
  /** Why it cannot be run here on any server. */
  readonly skip?: string | undefined;
  /** The servers, if not all. */
  readonly choices?: readonly ServerChoice[];
}

/**
 * Describes something once for each server: starts it before the tests, and lets go of it after them.
 *
 * @param title what is described; `on` and the server's name follow.
 * @param prefix begins the name of the namespace.
 * @param suite defines the tests.
 *
 * @example
 * ```ts ignore
 * import { it } from "@std/testing/bdd";
 * import { onEachServer } from "./on_each_server.ts";
 *
 * onEachServer("a namespace", "example", (ground) => {
 *   it("can be made", () => ground.server.createNamespace(`${ground.namespace}-2`));
 * });
 * ```
 */
export function onEachServer(
  title: string,
  prefix: string,
  suite: (ground: Ground) => void,
  { skip, choices = testServers() }: SuiteOptions = {},
): void {
  for (const choice of choices) {
    describe(`${title} on ${choice.name}`, { skip: skip ?? choice.skip ?? false }, () => {
      let server: TestServer;
      let namespace: string;
      before(async () => {
        server = await choice.start();
        namespace = await server.freshNamespace(prefix);
      });
      after(() => server.stop());
      suite({
        get server() {
          return server;
        },
        get namespace() {
          return namespace;
        },
      });
    });
  }
}

/**
 * Writes refreshed OpenID Connect tokens back to the kubeconfig that they came from, as client-go does: a provider may
 * take a refresh-token only once, and then the next program needs the next one. All else in the file stays, comments
 * included; other programs that follow client-go's lock file are kept out meanwhile.
 *
 * @module
 */

import type { Tokens } from "./oidc_refresh.ts";
import { readText } from "./read_file.ts";

/**
 * Replaces the tokens of a user in a kubeconfig.
 *
 * @param store the file and the user's name.
 * @param tokens the new ones.
 * @returns why they were not written, if they were not; a file that is not there any more is no fault.
 */
export async function storeTokens(
  store: { readonly file: string; readonly user: string },
  tokens: Tokens,
): Promise<string | undefined> {
  try {
    // A link leads to the file that is to be replaced.
    const file = await Deno.realPath(store.file);
    const lock = `${file}.lock`;
    (await Deno.open(lock, { write: true, createNew: true })).close();
    try {
      const { mode } = await Deno.stat(file);
      const text = await replaced(await readText(file), store.user, tokens);
      if (text === undefined) return `it has no user "${store.user}" with auth-provider oidc`;
      const written = `${file}.klatch-${crypto.randomUUID()}`;
      await Deno.writeTextFile(written, text, { createNew: true, mode: (mode ?? 0o600) & 0o777 });
      await Deno.rename(written, file);
    } finally {
      await Deno.remove(lock);
    }
    return undefined;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    return cause instanceof Error ? cause.message : String(cause);
  }
}

async function replaced(text: string, user: string, tokens: Tokens): Promise<string | undefined> {
  const { isMap, isScalar, isSeq, parseDocument } = await import("yaml");
  const document = parseDocument(text, { version: "1.1", uniqueKeys: false, logLevel: "silent" });
  const users = document.get("users");
  if (document.errors.length > 0 || !isSeq(users)) return undefined;
  const entry = users.items.find((item) => isMap(item) && item.get("name") === user);
  const config = isMap(entry) ? entry.getIn(["user", "auth-provider", "config"]) : undefined;
  if (!isMap(config)) return undefined;
  const edits: { readonly start: number; readonly end: number; readonly value: string }[] = [];
  for (
    const [field, value] of [["id-token", tokens.idToken], ["refresh-token", tokens.refreshToken]] as const
  ) {
    const present = config.get(field, true);
    if (isScalar(present) && present.range) {
      edits.push({ start: present.range[0], end: present.range[1], value: JSON.stringify(value) });
    }
  }
  // A field that was not there changes the file's layout; values in their place do not.
  if (edits.length < 2) {
    config.set("id-token", tokens.idToken);
    config.set("refresh-token", tokens.refreshToken);
    return document.toString({ lineWidth: 0, indentSeq: false, flowCollectionPadding: false });
  }
  edits.sort((one, other) => other.start - one.start);
  return edits.reduce(
    (whole, { start, end, value }) => whole.slice(0, start) + value + whole.slice(end),
    text,
  );
}

/**
 * Reads `auth-provider: { name: oidc }` of a user.
 *
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#option-1-oidc-authenticator
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { usableAuthorities } from "./authorities.ts";
import { ConfigFields } from "./config_fields.ts";
import type { Entry } from "./kubeconfig.ts";
import { beside, referredPem } from "./referred_file.ts";
import type { OidcProvider } from "./types.ts";

/** The provider's authority, as the fields of a cluster name it. */
const AUTHORITY = "idp-certificate-authority";

/**
 * The provider and tokens of a user.
 *
 * @param user a user whose `auth-provider` is `oidc`.
 * @throws {KlatchError} `config`: something is missing, unreadable or malformed.
 */
export async function oidcProvider(user: Entry): Promise<OidcProvider> {
  const where = `${user.fields.where}: auth-provider oidc`;
  const fields = new ConfigFields(user.fields.record("auth-provider").record("config").values, where);
  const required = (field: string): string => {
    const value = fields.text(field);
    if (value !== undefined) return value;
    throw new KlatchError("config", `${where}: it has no ${field}`, { hint: `add ${field} to its config` });
  };
  const pem = await referredPem({ ...user, fields }, AUTHORITY);
  return {
    where,
    issuerUrl: required("idp-issuer-url"),
    clientId: required("client-id"),
    clientSecret: fields.text("client-secret"),
    idToken: fields.text("id-token"),
    refreshToken: fields.text("refresh-token"),
    caPem: pem === undefined ? undefined : usableAuthorities(pem, `${where}: ${AUTHORITY}`),
    store: { file: beside(user.file, user.file.slice(user.file.lastIndexOf("/") + 1)), user: user.name },
  };
}

/**
 * The least rights that a lock needs: a Role for its object alone, and a RoleBinding for a service account.
 *
 * RBAC cannot restrict `create` to a name, because the name is not known when the request is authorized; all other
 * verbs are granted on the one object only.
 *
 * @see {@link https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources}
 * @module
 */
import { groupOf } from "./kube/paths.ts";
import type { LockName, Strategy, Verb } from "./lock.ts";

const RBAC_GROUP = "rbac.authorization.k8s.io";

/** A rule of a Role. */
export interface AccessRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly Verb[];
}

/** A service account. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** What to grant. */
export interface AccessOptions {
  readonly strategies: readonly Strategy[];
  /** The object that keeps the lock. */
  readonly object: LockName;
  /** Whether the object is deleted after the release (`--cleanup`). */
  readonly cleanup: boolean;
  /** Whether Events about the lock may be written (`create`, which RBAC cannot restrict to a name). */
  readonly events?: boolean;
}

/**
 * The verbs that a strategy needs on its object.
 *
 * @param strategy how the lock is kept.
 * @param cleanup whether the object is deleted after the release.
 */
export function verbsFor({ verbs }: Strategy, cleanup: boolean): readonly Verb[] {
  return cleanup ? [...verbs, "delete"] : verbs;
}

/**
 * The rules that allow to hold a lock, and nothing else.
 *
 * @param options what to grant.
 *
 * @example
 * ```ts
 * import { accessRules } from "./access.ts";
 * import { lease } from "./strategies/lease.ts";
 *
 * const object = { namespace: "default", name: "deploy" };
 * const [create, rest] = accessRules({ strategies: [lease], object, cleanup: false });
 * if (create?.resourceNames !== undefined || rest?.verbs.join() !== "get,update,patch,watch") throw new Error();
 * ```
 */
export function accessRules(
  { strategies, object, cleanup, events = false }: AccessOptions,
): readonly AccessRule[] {
  const forEvents = { apiGroups: [""], resources: ["events"], verbs: ["create"] as const };
  const rules = strategies.flatMap((strategy) => {
    const on = { apiGroups: [groupOf(strategy.resource)], resources: [strategy.resource.plural] };
    return [
      { ...on, verbs: ["create"] as const },
      {
        ...on,
        resourceNames: [object.name],
        verbs: verbsFor(strategy, cleanup).filter((verb) => verb !== "create"),
      },
    ];
  });
  return events ? [...rules, forEvents] : rules;
}

/**
 * A Role with {@link accessRules}, and a RoleBinding that gives it to a service account.
 *
 * @param options what to grant.
 * @param account to whom.
 * @returns the two objects, to be applied in this order.
 *
 * @example
 * ```ts
 * import { accessManifests } from "./access.ts";
 * import { lease } from "./strategies/lease.ts";
 *
 * const object = { namespace: "default", name: "deploy" };
 * const account = { namespace: "default", name: "ci" };
 * const [role] = accessManifests({ strategies: [lease], object, cleanup: false }, account);
 * if (role.metadata.name !== "klatch-deploy") throw new Error();
 * ```
 */
export function accessManifests(options: AccessOptions, account: ServiceAccount) {
  const { namespace, name } = options.object;
  const metadata = { name: `klatch-${name}`, namespace };
  return [
    { apiVersion: `${RBAC_GROUP}/v1`, kind: "Role", metadata, rules: accessRules(options) },
    {
      apiVersion: `${RBAC_GROUP}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: RBAC_GROUP, kind: "Role", name: metadata.name },
      subjects: [{ kind: "ServiceAccount", ...account }],
    },
  ] as const;
}

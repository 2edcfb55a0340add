/**
 * Gives rights by RBAC and waits until they are in force.
 *
 * @module
 */

import type { Answer } from "./control_plane_access.ts";
import { sleep } from "./waiting.ts";

/** Creates an object as admin; throws where it is refused. */
export type Create = (path: string, object: unknown) => Promise<Answer>;

/** A rule of a Role. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** Who a Role is bound to. */
export type Subject = { readonly user: string } | { readonly serviceAccount: string };

/**
 * Makes a Role, binds it, and waits until the API server goes by it.
 *
 * @param create how to create an object.
 * @param subject who is to have the rights.
 * @param namespace where.
 * @param rules what for.
 */
export async function allow(
  create: Create,
  subject: Subject,
  namespace: string,
  rules: readonly Rule[],
): Promise<void> {
  const group = "rbac.authorization.k8s.io";
  const base = `/apis/${group}/v1/namespaces/${namespace}`;
  const name = `allow-${crypto.randomUUID().slice(0, 8)}`;
  const apiVersion = `${group}/v1`;
  await create(`${base}/roles`, { apiVersion, kind: "Role", metadata: { name }, rules });
  await create(`${base}/rolebindings`, {
    apiVersion,
    kind: "RoleBinding",
    metadata: { name },
    roleRef: { apiGroup: group, kind: "Role", name },
    subjects: [
      "user" in subject
        ? { apiGroup: group, kind: "User", name: subject.user }
        : { kind: "ServiceAccount", name: subject.serviceAccount, namespace },
    ],
  });
  const user = "user" in subject
    ? subject.user
    : `system:serviceaccount:${namespace}:${subject.serviceAccount}`;
  // Each right is asked for: an earlier Role may have given some of them already.
  for (const rule of rules) {
    for (const resource of rule.resources) {
      for (const verb of rule.verbs) {
        await untilAllowed(create, user, attributesOf(namespace, rule, resource, verb));
      }
    }
  }
}

/** A rule's right as a SubjectAccessReview asks for it. */
function attributesOf(namespace: string, rule: Rule, path: string, verb: string) {
  const [resource, subresource] = path.split("/");
  return {
    namespace,
    verb,
    group: rule.apiGroups[0],
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(rule.resourceNames?.[0] === undefined ? {} : { name: rule.resourceNames[0] }),
  };
}

async function untilAllowed(create: Create, user: string, resourceAttributes: object): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    const review = await create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user, resourceAttributes },
    });
    if (review.body.status.allowed) return;
    await sleep(10);
  }
  throw new Error(
    `the API server does not go by the new role of ${user}: ${JSON.stringify(resourceAttributes)}`,
  );
}

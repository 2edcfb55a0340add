/**
 * The fields of the API's protobuf messages, as far as the sandbox takes them, with their numbers.
 *
 * Source: the `generated.proto` files of https://github.com/kubernetes/api and
 * https://github.com/kubernetes/apimachinery
 *
 * @module
 */

/** How a field's bytes turn into JSON. */
export type Field =
  | readonly [name: string, kind: "string" | "bytes" | "int" | "bool" | "time" | "microTime" | "strings"]
  | readonly [name: string, kind: "stringMap" | "bytesMap"]
  | readonly [name: string, kind: "message" | "messages", fields: Message];

/** A message's fields by their numbers. */
export type Message = { readonly [number: number]: Field };

const METADATA: Message = {
  1: ["name", "string"],
  2: ["generateName", "string"],
  3: ["namespace", "string"],
  5: ["uid", "string"],
  6: ["resourceVersion", "string"],
  8: ["creationTimestamp", "time"],
  11: ["labels", "stringMap"],
  12: ["annotations", "stringMap"],
  14: ["finalizers", "strings"],
};

const ADDRESS: Message = { 1: ["ip", "string"], 3: ["hostname", "string"], 4: ["nodeName", "string"] };
const SUBSET: Message = {
  1: ["addresses", "messages", ADDRESS],
  2: ["notReadyAddresses", "messages", ADDRESS],
  3: ["ports", "messages", { 1: ["name", "string"], 2: ["port", "int"], 3: ["protocol", "string"] }],
};

/** The messages that the sandbox takes, by kind. */
export const OBJECTS: Readonly<Record<string, Message>> = {
  Lease: {
    1: ["metadata", "message", METADATA],
    2: ["spec", "message", {
      1: ["holderIdentity", "string"],
      2: ["leaseDurationSeconds", "int"],
      3: ["acquireTime", "microTime"],
      4: ["renewTime", "microTime"],
      5: ["leaseTransitions", "int"],
      6: ["strategy", "string"],
      7: ["preferredHolder", "string"],
    }],
  },
  ConfigMap: {
    1: ["metadata", "message", METADATA],
    2: ["data", "stringMap"],
    3: ["binaryData", "bytesMap"],
    4: ["immutable", "bool"],
  },
  Secret: {
    1: ["metadata", "message", METADATA],
    2: ["data", "bytesMap"],
    3: ["type", "string"],
    4: ["stringData", "stringMap"],
    5: ["immutable", "bool"],
  },
  Endpoints: { 1: ["metadata", "message", METADATA], 2: ["subsets", "messages", SUBSET] },
  Namespace: { 1: ["metadata", "message", METADATA] },
  SelfSubjectAccessReview: {
    2: ["spec", "message", {
      1: ["resourceAttributes", "message", {
        1: ["namespace", "string"],
        2: ["verb", "string"],
        3: ["group", "string"],
        4: ["version", "string"],
        5: ["resource", "string"],
        6: ["subresource", "string"],
        7: ["name", "string"],
      }],
      2: ["nonResourceAttributes", "message", { 1: ["path", "string"], 2: ["verb", "string"] }],
    }],
  },
  DeleteOptions: {
    2: ["preconditions", "message", { 1: ["uid", "string"], 2: ["resourceVersion", "string"] }],
    5: ["dryRun", "strings"],
  },
};

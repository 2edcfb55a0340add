/**
 * Reads the API server's audit log, so that a test can count requests.
 *
 * @module
 */

/** A request as the audit log has it; fields as in
 * {@link https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ audit.k8s.io/v1 Event}. */
export interface AuditedRequest {
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
}

/**
 * Every request once, oldest first, in its latest stage.
 *
 * @param file the log, one JSON event a line; a missing one is empty.
 */
export async function readAuditLog(file: string): Promise<AuditedRequest[]> {
  const text = await Deno.readTextFile(file).catch(() => "");
  const byId = new Map<string, AuditedRequest>();
  // The last line may be half written.
  for (const line of text.split("\n").slice(0, -1)) {
    const event = JSON.parse(line) as AuditedRequest;
    byId.set(event.auditID, event);
  }
  return [...byId.values()];
}

/** Placeholder until Node's https is in. @module */
import type { ClusterConfig } from "./config/types.ts";
import type { TransportResponse, Wire } from "./transport.ts";
/** Placeholder. */
export class NodeWire implements Wire {
  constructor(readonly config: ClusterConfig) {}
  send(): Promise<TransportResponse> {
    return Promise.reject(new Error("not yet"));
  }
  close(): void {}
}

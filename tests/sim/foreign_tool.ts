/**
 * An older tool that uses the same object: it takes the lock, by force or because it is free; keeps it for a while;
 * releases it or dies.
 *
 * @module
 */
import { viewOf } from "../../lib/lock.ts";
import type { Random } from "./random.ts";
import { FOREIGN_LEASE_MS } from "./scenario.ts";
import type { ApiServer } from "./server.ts";
import type { Case } from "./strategies.ts";
import type { Timeline } from "./timeline.ts";

/** How long its read and its write may be apart. */
const RELEASE_GAP_MS = 80;

/** What an older tool works with. */
export interface ForeignHolderParts {
  /** The name it goes by, which may be that of a klatch. */
  readonly name: string;
  readonly server: ApiServer;
  /** How it writes. */
  readonly kind: Case;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly trace: (who: string, what: string) => void;
  /** Whether nothing may go wrong any more: it then releases what it has, unless it is dead. */
  readonly healed: () => boolean;
}

/** One visit of an older tool. */
export class ForeignHolder {
  readonly #parts: ForeignHolderParts;
  readonly #leaseMs: number;
  readonly #releases: boolean;
  #renewals: number;

  constructor(parts: ForeignHolderParts) {
    const { random } = this.#parts = parts;
    this.#leaseMs = 1000 * Math.round(random.between(FOREIGN_LEASE_MS.least, FOREIGN_LEASE_MS.most) / 1000);
    this.#renewals = random.below(4);
    // Where its holds do not expire, its death is a person's business.
    this.#releases = random.chance(0.6) || parts.kind.dead !== undefined;
  }

  /** Takes the lock; half of the time not by force. */
  come(): void {
    const { server, random, trace } = this.#parts;
    if (server.find() === undefined || (this.#holders().length > 0 && random.chance(0.5))) return;
    trace("foreign", `writes a hold of ${this.#leaseMs / 1000} s into the record`);
    this.#write();
    this.#later();
  }

  #later(): void {
    const { timeline, healed, server, trace, kind, name } = this.#parts;
    timeline.after(this.#leaseMs / 3, () => {
      if (!this.#holders().some(({ identity }) => identity === name)) return;
      if (this.#renewals-- > 0 && !healed()) {
        this.#write();
        this.#later();
      } else if (this.#releases) {
        trace("foreign", "releases");
        if (kind.failsOnConflict === true) this.#releaseOnce();
        else server.force("foreign", kind.released);
      }
    });
  }

  /** As client-go: a read and a write, which is not repeated. */
  #releaseOnce(): void {
    const { timeline, random, server, trace, kind } = this.#parts;
    const read = server.find();
    timeline.after(random.between(0, RELEASE_GAP_MS), () => {
      if (read !== undefined && !server.replace("foreign", kind.released(read))) {
        trace("foreign", "cannot release: somebody has written");
      }
    });
  }

  #write(): void {
    const { server, kind, name } = this.#parts;
    server.force("foreign", (object) => kind.seized(object, name, this.#leaseMs));
  }

  #holders() {
    const { server, kind } = this.#parts;
    return viewOf(kind.strategy, server.find()).holders;
  }
}

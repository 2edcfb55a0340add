/**
 * Faults of the server: an API server that stands still or dies, an etcd that stands still. One control plane of its
 * own, one fault after the other, and each of them on three locks at once: one whose lease the fault outlasts, the same
 * with a command that will not end, and one whose lease outlasts the fault.
 *
 * @module
 */

import { after, before, describe, it } from "@std/testing/bdd";
import { noChaos, openAll, pastTheLease } from "./faults.ts";
import { type ControlPlane, startControlPlane } from "../support/control_plane.ts";
import { sleep } from "../support/waiting.ts";
import { type Cast, PATIENT } from "./scene.ts";
import { judge } from "./verdict.ts";

describe("a fault of the server", { skip: noChaos }, () => {
  let plane: ControlPlane;
  let namespace: string;
  before(async () => {
    plane = await startControlPlane();
    namespace = await plane.freshNamespace("chaos");
  });
  after(() => plane.stop());

  async function suffer(fault: string, strike: () => Promise<void> | void, heal: () => Promise<void> | void) {
    const cast: Cast = { plane, namespace };
    const section = "The server";
    const casts: readonly [Cast, Cast, Cast] = [cast, { ...cast, profile: "stubborn" }, {
      ...cast,
      timing: PATIENT,
    }];
    await openAll(casts, async ([plain, stubborn, patient]) => {
      const before = patient.lastRenewal(Date.now());
      await strike();
      await Promise.all([plain, stubborn].map(pastTheLease));
      // At a third of its lease the patient one tries to renew, and meets the fault.
      await sleep(before.renewedMs + PATIENT.leaseMs / 3 + 500 - Date.now());
      const healedMs = Date.now();
      await heal();
      await judge(plain, { section, fault: `${fault} past the lease`, outcome: "lost" });
      await judge(stubborn, {
        section,
        fault: `${fault} past the lease`,
        profile: "stubborn",
        outcome: "lost",
      });
      await patient.renewsAgain(healedMs);
      await patient.holder.closeStdin();
      await judge(patient, { section, fault: `${fault}, and back within the lease`, outcome: "kept" });
    });
  }

  it("is survived when the API server stands still and goes on", async () => {
    await suffer("API server frozen", () => plane.freeze("apiserver"), () => plane.thaw("apiserver"));
  });

  it("is survived when the API server is killed and started again", async () => {
    await suffer("API server killed", () => plane.stopApiServer(), () => plane.restartApiServer());
  });

  it("is survived when etcd stands still and goes on", async () => {
    await suffer("etcd frozen", () => plane.freeze("etcd"), () => plane.thaw("etcd"));
  });
});

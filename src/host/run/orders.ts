import type { OrderMessage } from "../../core/stream/messages.ts";
import type { StoredService } from "../inbox/receive.ts";
import { installer } from "../install/install.ts";
import type { RunContext } from "./run-context.ts";

/** Carries out a person's orders about a service. It only writes into the store; the next run acts. */
export function orders({ store, service, rows }: StoredService, context: RunContext) {
  const { clock, log } = context;
  const { messages, records, removals } = store;
  const table = "table" in service ? service.table : undefined;

  return function obey({ order, name: record, remove = false, digest, why, allow, id }: OrderMessage): void {
    log(["asked to", order, record ?? digest].filter((word) => word !== undefined).join(" "));
    const install = installer({ ...context, secret: false });
    if (order === "regen") {
      store.orderFullRun();
      if (table) install.requireReload();
    }
    if (order === "verify") judgeAgain();
    if (order === "retry") {
      // A table receives no plain messages. Messages parked there stay for a person to read and drop.
      if (!table) messages.retry();
      install.forgive();
      store.write({ fatal: undefined });
      // Rows that the daemon refused are tried again.
      judgeAgain();
    }
    if (order === "drop") log(`${messages.drop(id)} parked messages are dropped`);
    if (order === "hold") store.write({ held: { by: "person", detail: why ?? "" } });
    if (order === "approve" && allow) {
      removals.allow(allow.rows, allow.until);
      log(`${allow.rows} rows may be removed until ${new Date(allow.until).toISOString()}`);
    } else if (order === "approve") approve(digest);
    if (order === "adopt" && record !== undefined) adopt(record, remove);
  };

  /**
   * Approves the removals, or the conflicts, that a person has seen under this digest. An unknown digest changes
   * nothing. Without a digest the hold by a person ends, and everything else that waits is judged and shown again.
   */
  function approve(digest: string | undefined): void {
    const things = records.conflicts();
    const held = removals.held();
    if (records.approve(digest)) {
      endConflictHold();
      return;
    }
    if (held && digest !== undefined && removals.approve(digest)) return;
    if (digest === undefined) {
      store.write({ held: undefined });
      judgeAgain();
    }
    const not = digest === undefined ? "" : `, not ${digest}`;
    if (things) log(`${things.count} conflicting files or records stay held: their digest is ${things.digest}${not}`);
    if (held) log(`${held.keys.length} removals stay held: their digest is ${held.digest}${not}`);
    if (!things && !held && digest !== undefined) log(`nothing waits for the approval of ${digest}`);
  }

  /** Takes over one foreign thing, by its name in the daemon. */
  function adopt(record: string, remove: boolean): void {
    if (!remove && !records.isHeld(record) && !isWanted(record)) {
      log(
        `${record} is left alone: no row has it, so adopting it would remove it; \`trigger adopt --remove\` does that`,
      );
      return;
    }
    records.owned(clock.now).claim([record]);
    store.orderFullRun();
    endConflictHold();
  }

  /** Ends a hold by a conflict; a hold by a person stays. */
  function endConflictHold(): void {
    if (store.facts?.held?.by !== "person") store.write({ held: undefined });
    judgeAgain();
  }

  /** Judges every retained row again; held removals stay held. */
  function judgeAgain(): void {
    rows?.judgeRetained(clock.now());
  }

  function isWanted(record: string): boolean {
    const [first] = table?.unique ?? [];
    return first !== undefined && store.seen.isWanted(first, record);
  }
}

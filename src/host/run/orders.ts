import type { OrderMessage } from "../../core/stream/messages.ts";
import type { Inbox } from "../inbox/receive.ts";
import { installer } from "../install/install.ts";
import type { RunContext } from "./run.ts";

/** Obeys a person's orders about a service. It only writes into the store; the next run acts. */
export function orders({ store, service, rows }: Inbox, context: RunContext) {
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
    if (order === "verify") judgeAnew();
    if (order === "retry") {
      // A table takes no plain messages: what is parked there stays for a person to read, and to drop.
      if (!table) messages.retry();
      install.forgive();
      store.write({ fatal: undefined });
      // Rows that the daemon refused are tried again.
      judgeAnew();
    }
    if (order === "drop") log(`${messages.drop(id)} parked messages are thrown away`);
    if (order === "hold") store.write({ held: { by: "person", detail: why ?? "" } });
    if (order === "approve" && allow) {
      removals.allow(allow.rows, allow.until);
      log(`${allow.rows} rows may go until ${new Date(allow.until).toISOString()}`);
    } else if (order === "approve") approve(digest);
    if (order === "adopt" && record !== undefined) adopt(record, remove);
  };

  /**
   * Approves what a person has seen under this digest: removals, or foreign things in the way. An unknown digest changes nothing.
   * Without a digest the hold of a person ends, and all else that waits is judged, and shown, again.
   */
  function approve(digest: string | undefined): void {
    const things = records.conflicts();
    const held = removals.held();
    if (records.approve(digest)) {
      goOn();
      return;
    }
    if (held && digest !== undefined && removals.approve(digest)) return;
    if (digest === undefined) {
      store.write({ held: undefined });
      judgeAnew();
    }
    const by = `not approved by ${digest ?? "no digest"}: theirs is`;
    if (things) log(`${things.count} things that are held are ${by} ${things.digest}`);
    if (held) log(`${held.keys.length} removals are ${by} ${held.digest}`);
    if (!things && !held && digest !== undefined) log(`nothing waits for the approval of ${digest}`);
  }

  /** Takes over one thing of somebody else's, by its name in the daemon. */
  function adopt(record: string, remove: boolean): void {
    if (!remove && !records.isHeld(record) && !isWanted(record)) {
      log(`${record} is left alone: no row has it, so it would be removed; \`trigger adopt --remove\` does that`);
      return;
    }
    records.owned(clock.now).claim([record]);
    store.orderFullRun();
    goOn();
  }

  /** Ends a hold by foreign things; a hold by a person stays. */
  function goOn(): void {
    if (store.facts?.held?.by !== "person") store.write({ held: undefined });
    judgeAnew();
  }

  /** Judges every kept row again; held removals stay held. */
  function judgeAnew(): void {
    rows?.judgeRetained(clock.now());
  }

  function isWanted(record: string): boolean {
    const [first] = table?.unique ?? [];
    return first !== undefined && store.seen.isWanted(first, record);
  }
}

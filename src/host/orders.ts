import type { OrderMessage } from "../core/stream/messages.ts";
import { installer } from "./install/install.ts";
import type { ServiceStore } from "./receive.ts";
import type { RunContext } from "./run.ts";
import { oweFullRun, readFacts, writeFacts } from "./store/facts.ts";
import { approveHeld, heldThings, isHeld, ownedBy } from "./store/owned.ts";
import { prepared } from "./store/prepared.ts";
import { allowRemovals, approveRemovals, heldRemovals } from "./store/removals.ts";

/** What a person asks of a service on its host. Obeying only writes into the store; the next run acts. */
export function orders({ database, service, rows, messages }: ServiceStore, context: RunContext) {
  const { service: name, clock, log } = context;
  const table = "table" in service ? service.table : undefined;

  return function obey({ order, name: record, remove = false, digest, why, allow, id }: OrderMessage): void {
    log(["asked to", order, record ?? digest].filter((word) => word !== undefined).join(" "));
    const install = installer({ ...context, secret: false });
    if (order === "regen") {
      oweFullRun(database, name);
      if (table) install.owe();
    }
    if (order === "verify") judgeAnew();
    if (order === "retry") {
      // A table takes no plain messages: what is parked there stays for a person to read, and to drop.
      if (!table) messages.retry();
      install.forgive();
      writeFacts(database, name, { fatal: undefined });
      // Rows that the daemon refused are tried again.
      judgeAnew();
    }
    if (order === "drop") log(`${messages.drop(id)} parked messages are thrown away`);
    if (order === "hold") writeFacts(database, name, { held: { by: "person", detail: why ?? "" } });
    if (order === "approve" && allow) {
      allowRemovals(database, name, allow.rows, allow.until);
      log(`${allow.rows} rows may go until ${new Date(allow.until).toISOString()}`);
    } else if (order === "approve") approve(digest);
    if (order === "adopt" && record !== undefined) adopt(record, remove);
  };

  /**
   * Approves what a person has seen under this digest: removals, or foreign things in the way. An unknown digest changes nothing.
   * Without a digest the hold of a person ends, and all else that waits is judged, and shown, again.
   */
  function approve(digest: string | undefined): void {
    const things = heldThings(database, name);
    const removals = heldRemovals(database, name);
    if (approveHeld(database, name, digest)) {
      goOn();
      return;
    }
    const approved = context.safeguards?.approval === false ? removals?.digest : digest;
    if (removals && approved !== undefined && approveRemovals(database, name, approved)) return;
    if (digest === undefined) {
      writeFacts(database, name, { held: undefined });
      judgeAnew();
    }
    const by = `not approved by ${digest ?? "no digest"}: theirs is`;
    if (things) log(`${things.count} things that are held are ${by} ${things.digest}`);
    if (removals) log(`${removals.keys.length} removals are ${by} ${removals.digest}`);
    if (!things && !removals && digest !== undefined) log(`nothing waits for the approval of ${digest}`);
  }

  /** Takes over one thing of somebody else's, by its name in the daemon. */
  function adopt(record: string, remove: boolean): void {
    if (!remove && !isHeld(database, name, record) && !isWanted(record)) {
      log(`${record} is left alone: no row has it, so it would be removed; \`trigger adopt --remove\` does that`);
      return;
    }
    ownedBy(database, name, clock.now).claim([record]);
    oweFullRun(database, name);
    goOn();
  }

  /** Ends a hold by foreign things; a hold by a person stays. */
  function goOn(): void {
    if (readFacts(database, name)?.held?.by !== "person") writeFacts(database, name, { held: undefined });
    judgeAnew();
  }

  /** Judges every kept row again; held removals stay held. */
  function judgeAnew(): void {
    rows?.judgeRetained(clock.now());
  }

  function isWanted(record: string): boolean {
    const [first] = table?.unique ?? [];
    if (first === undefined) return false;
    const column = `$."${first}"`;
    const found = prepared(
      database,
      "SELECT 1 FROM row WHERE service = ? AND CASE WHEN json_valid(desired) THEN json_extract(desired, ?) END = ? LIMIT 1",
    ).get(name, column, record);
    return found !== undefined;
  }
}

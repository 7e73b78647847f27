import type { Asked, Outcome } from "../../core/stream/order.ts";
import type { StoredService } from "../inbox/receive.ts";
import { installer } from "../install/install.ts";
import type { RunContext } from "./run-context.ts";

/** Carries out a person's orders about a service. It only writes into the store; the next run acts. */
export function orders({ store, service, rows }: StoredService, context: RunContext): (asked: Asked) => Outcome {
  const { clock } = context;
  const { messages, records, removals } = store;
  const { name } = store;
  const table = "table" in service ? service.table : undefined;
  const install = () => installer({ ...context, secret: false });

  return function obey(asked): Outcome {
    const { order, name: record, remove = false, digest, why, allow, number } = asked;
    switch (order) {
      case "regen":
        if (!table) return refused(`${name} has no rows to generate anything from`);
        store.orderFullRun();
        install().requireReload();
        return done("a full run is due");
      case "verify":
        if (!rows) return refused(`${name} has no rows to compare`);
        judgeAgain();
        return done("its rows are being compared");
      case "retry":
        return retry();
      case "drop":
        return drop(number);
      case "hold":
        store.write({ held: { by: "person", detail: why ?? "" } });
        return done(`it writes nothing until \`trigger approve ${name}\``);
      case "approve":
        if (allow) return allowRemovals(allow);
        return digest === undefined ? goOn() : approve(digest);
      case "adopt":
        return record === undefined ? refused("the order names nothing to adopt") : adopt(record, remove);
    }
  };

  function retry(): Outcome {
    // A table receives no plain messages. Messages parked there stay for a person to read and drop.
    const again = table ? 0 : messages.retry();
    install().forgive();
    store.write({ fatal: undefined });
    // Rows that the daemon refused are tried again.
    judgeAgain();
    return done(table ? "failed texts and refused rows are tried again" : `${again} parked messages are tried again`);
  }

  function drop(number: number | undefined): Outcome {
    const dropped = messages.drop(number);
    if (number !== undefined && dropped === 0) return refused(`no parked message has the number ${number}`);
    return done(`${dropped} parked messages are dropped`);
  }

  function allowRemovals({ rows, until }: NonNullable<Asked["allow"]>): Outcome {
    removals.allow(rows, until);
    return done(`${rows} rows may be removed until ${new Date(until).toISOString()}`);
  }

  /** Approves the removals, or the conflicts, that a person has seen under this digest. Another one changes nothing. */
  function approve(digest: string): Outcome {
    const { count = 0 } = records.conflicts() ?? {};
    const { keys = [] } = removals.held() ?? {};
    if (records.approve(digest)) {
      endConflictHold();
      return done(`${count} files or records are trigger's from now on`);
    }
    if (removals.approve(digest)) return done(`${keys.length} rows are removed`);
    const waiting = stillWaiting();
    return refused([`nothing waits under ${digest}`, ...waiting].join("; "), waiting.length > 0);
  }

  /** Ends the hold by a person. Everything else that waits for a digest is judged and shown again. */
  function goOn(): Outcome {
    const { held } = store.facts ?? {};
    store.write({ held: undefined });
    judgeAgain();
    const waiting = stillWaiting();
    const said = held?.by === "person" ? "it goes on" : "it was not held by a person";
    return done([said, ...waiting].join("; "), waiting.length > 0);
  }

  /** Sentences on the things that wait for an approval with a digest. */
  function stillWaiting(): string[] {
    const conflicts = records.conflicts();
    const held = removals.held();
    const say = (count: number, what: string, digest: string): string =>
      `${count} ${what} still wait: \`trigger approve ${name} ${digest}\``;
    return [
      ...(conflicts ? [say(conflicts.count, "files or records", conflicts.digest)] : []),
      ...(held ? [say(held.keys.length, "removals", held.digest)] : []),
    ];
  }

  /** Takes over one foreign thing, by its name in the daemon. */
  function adopt(record: string, remove: boolean): Outcome {
    if (!table) return refused(`${name} has no rows`);
    if (!remove && !records.isHeld(record) && !isWanted(record)) {
      const why = `${record} is left alone: no row has it, so adopting it would remove it`;
      return refused(`${why}; \`trigger adopt --remove\` does that`);
    }
    records.owned(clock.now).claim([record]);
    store.orderFullRun();
    endConflictHold();
    return done(`${record} is taken over`);
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

const done = (text: string, waits = false): Outcome => ({ done: true, text, ...(waits && { waits }) });
const refused = (text: string, waits = false): Outcome => ({ done: false, text, ...(waits && { waits }) });

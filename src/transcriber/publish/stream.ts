import type { CellTable } from "../../core/stream/cell-table.ts";
import type { Cell, CellChange } from "../../core/stream/cells.ts";
import type { TableQuestion } from "../../core/stream/host-end.ts";
import type { AsOf, StreamMessage } from "../../core/stream/messages.ts";
import { hostKey } from "../../core/stream/routing.ts";
import { StreamWriter } from "../../core/stream/transcriber-end.ts";
import { reason } from "../../core/util/errors.ts";
import type { Allowance } from "./allowance.ts";
import { deliveries } from "./deliveries.ts";

export interface StreamOptions {
  readonly service: string;
  /** The routing key of all hosts of the stream. */
  readonly everyone: string;
  /** The hosts of the stream. */
  readonly hosts: readonly string[];
  readonly table: CellTable;
  asOf(): AsOf;
  /** True while the table is inconsistent: nothing of it is published until `publishChanges` or `resume` is called. */
  applying(): boolean;
  /** The limit on answers to hosts that ask. */
  readonly allowance: Allowance;
  publish(key: string, body: string): Promise<void>;
  /** Waits until the broker may be back, longer with each failure in a row. */
  revive(failures: number): Promise<void>;
  log(line: string): void;
}

/** The outgoing stream of one service: one message at a time, in one order. */
export interface Stream {
  /** The hosts whose queues refuse messages. The others get their own copies. */
  readonly blockedQueues: readonly string[];
  /** True while a message could not be published: hosts wait for the digest that follows. */
  readonly behind: boolean;
  /** Starts an epoch. Its first message is a digest. */
  begin(epoch: number, rolledBack: boolean): void;
  /** Ends the epoch: nothing more is published. */
  end(): void;
  /** Publishes changes that the table has taken. */
  publishChanges(changes: readonly CellChange[]): void;
  /** Continues after the table was inconsistent. */
  resume(): void;
  /** Publishes a digest to all hosts of the stream. */
  digest(): void;
  /** Answers one host. */
  answer(host: string, want: TableQuestion): void;
}

/**
 * Opens the stream of a service. Its backlog is limited: the last cell of each key, and the last answer for each host.
 * While the broker is away the backlog is empty. The digest on its return repairs what hosts have missed.
 */
export function openStream(options: StreamOptions): Stream {
  const { service, everyone, table, asOf, applying, allowance, revive, log } = options;
  const deliver = deliveries(options);
  const rows = new Map<string, Cell | null>();
  const answers = new Map<string, TableQuestion>();
  /** The keys whose questions beyond the allowance are in the log already. */
  const logged = new Set<string>();
  let writer: StreamWriter | undefined;
  /** The number of failures to publish in a row. */
  let failures = 0;
  let behind = false;
  let publishing = false;

  /** Takes the next messages from the backlog. All are made from the table at one moment: a digest follows its rows. */
  function next(writer: StreamWriter): [key: string, message: StreamMessage][] {
    const now = asOf();
    const messages: [string, StreamMessage][] = [];
    if (rows.size > 0) for (const message of writer.rows([...rows], now)) messages.push([everyone, message]);
    rows.clear();
    const [answer] = answers;
    if (!answer) return messages;
    const [key, want] = answer;
    answers.delete(key);
    const message =
      typeof want === "object"
        ? writer.part(want.from, want.to, now, want.have)
        : writer.digest(now, { buckets: want === "buckets" });
    messages.push([key, message]);
    allowance.count(key, message, table.size);
    return messages;
  }

  async function publishAll(): Promise<void> {
    if (publishing) return;
    publishing = true;
    while (writer && !applying() && rows.size + answers.size > 0) {
      const current = writer;
      try {
        for (const [key, message] of next(current)) {
          if (writer !== current) break; // another epoch has begun: messages of this one are useless
          await deliver.send(key, JSON.stringify(message), message.kind === "digest");
        }
        if (failures > 0) log(`${service}: published again`);
        failures = 0;
      } catch (error) {
        if (failures === 0 && writer) log(`${service}: not published: ${reason(error)}; trying again`);
        failures += 1;
        clear();
        behind = true;
        await revive(failures);
        behind = false;
        if (writer) answers.set(everyone, "digest");
      }
    }
    publishing = false;
  }

  function clear(): void {
    rows.clear();
    answers.clear();
  }

  function enqueue(key: string, want: TableQuestion): void {
    if (!writer || behind) return;
    // A digest does not take the place of a part: any user may request one in a host's name.
    if (want === "digest" && answers.has(key)) return;
    answers.set(key, want);
    void publishAll();
  }

  return {
    get blockedQueues() {
      return deliver.blockedQueues();
    },
    get behind() {
      return behind;
    },
    begin(epoch, rolledBack) {
      clear();
      failures = 0; // each epoch logs its own first failure
      writer = new StreamWriter(service, table, { epoch, rolledBack });
      enqueue(everyone, "digest");
    },
    end() {
      clear();
      writer = undefined;
    },
    publishChanges(changes) {
      if (!writer || behind) return;
      for (const [key, cell] of changes) rows.set(key, cell);
      void publishAll();
    },
    resume: () => void publishAll(),
    digest: () => enqueue(everyone, "digest"),
    answer(host, want) {
      const key = hostKey(service, host);
      if (!writer || behind) return;
      // Before the answer is made: a host that asks without end must not cost more than its messages.
      if (allowance.allows(key, want, table.size)) enqueue(key, want);
      else if (!logged.has(key)) {
        logged.add(key);
        log(`${key} requests the table more often than any repair needs: it gets fewer answers`);
      }
    },
  };
}

import type { CellTable } from "../../core/stream/cell-table.ts";
import type { Cell, CellChange } from "../../core/stream/cells.ts";
import type { AsOf, StreamMessage } from "../../core/stream/messages.ts";
import type { Want } from "../../core/stream/reader.ts";
import { hostKey } from "../../core/stream/routing.ts";
import { StreamWriter } from "../../core/stream/writer.ts";
import { reason } from "../../core/util/errors.ts";
import type { Allowance } from "./allowance.ts";
import { deliveries } from "./deliveries.ts";

export interface ChannelOptions {
  readonly service: string;
  /** The key of those who are told. */
  readonly everyone: string;
  /** The hosts that are told. */
  readonly hosts: readonly string[];
  readonly table: CellTable;
  asOf(): AsOf;
  /** The table stands between two states: nothing is said of it until `moved` or `resume` is called. */
  settling(): boolean;
  /** The bound on answers to hosts that ask. */
  readonly allows: Allowance;
  publish(key: string, body: string): Promise<void>;
  /** Waits, longer at each failure in a row, until the broker may be there again. */
  revive(failures: number): Promise<void>;
  log(line: string): void;
}

/** One service's stream on its way out: one message at a time, in one order. */
export interface Channel {
  /** The hosts whose queue refuses what is told, though none of its kind should: the others are told one by one. */
  readonly refusing: readonly string[];
  /** Whether something was not published, so that hosts wait for the next digest. */
  readonly behind: boolean;
  /** Starts an epoch: its first word is a digest. */
  begin(epoch: number, rolledBack: boolean): void;
  /** Says nothing more. */
  end(): void;
  /** Takes what the table has just taken. */
  moved(changes: readonly CellChange[]): void;
  /** The table can be spoken of again. */
  resume(): void;
  /** Says a digest to all who are told. */
  digest(): void;
  /** Answers one host. */
  answer(host: string, want: Want): void;
}

/**
 * What waits here is bounded: of rows the last word for each key, of answers the last one for each host.
 * While the broker is away nothing waits at all: the digest that is said on its return repairs what hosts have missed.
 */
export function channel(options: ChannelOptions): Channel {
  const { service, everyone, table, asOf, settling, allows, revive, log } = options;
  const deliver = deliveries(options);
  const rows = new Map<string, Cell | null>();
  const answers = new Map<string, Want>();
  /** The keys of which the log has said that they are asked for too often. */
  const refusedToTell = new Set<string>();
  let telling: StreamWriter | undefined;
  /** How many times in a row publishing has failed. */
  let failures = 0;
  let behind = false;
  let speaking = false;

  /** Everything that is to be said now. It is read from the table in one go, so that a digest stands where its rows do. */
  function next(words: StreamWriter): [key: string, message: StreamMessage][] {
    const now = asOf();
    const said: [string, StreamMessage][] = [];
    if (rows.size > 0) for (const message of words.rows([...rows], now)) said.push([everyone, message]);
    rows.clear();
    const [answer] = answers;
    if (!answer) return said;
    const [key, want] = answer;
    answers.delete(key);
    const message =
      typeof want === "object"
        ? words.part(want.from, want.to, now, want.have)
        : words.digest(now, { buckets: want === "buckets" });
    if (allows(key, message, table.size)) said.push([key, message]);
    else if (!refusedToTell.has(key)) {
      refusedToTell.add(key);
      log(`${key} asks for the table more often than any repair needs: it is answered less often`);
    }
    return said;
  }

  async function speak(): Promise<void> {
    if (speaking) return;
    speaking = true;
    while (telling && !settling() && rows.size + answers.size > 0) {
      const words = telling;
      try {
        for (const [key, message] of next(words)) {
          if (telling !== words) break; // another epoch has begun: what was of this one is of no use
          await deliver.say(key, JSON.stringify(message), message.kind === "digest");
        }
        if (failures > 0) log(`${service}: published again`);
        failures = 0;
      } catch (error) {
        if (failures === 0 && telling) log(`${service}: not published: ${reason(error)}; trying again`);
        failures += 1;
        forget();
        behind = true;
        await revive(failures);
        behind = false;
        if (telling) answers.set(everyone, "digest");
      }
    }
    speaking = false;
  }

  function forget(): void {
    rows.clear();
    answers.clear();
  }

  function want(key: string, what: Want): void {
    if (!telling || behind) return;
    answers.set(key, what);
    void speak();
  }

  return {
    get refusing() {
      return deliver.refusing();
    },
    get behind() {
      return behind;
    },
    begin(epoch, rolledBack) {
      forget();
      failures = 0; // why an epoch cannot be told is said, whatever was said in the last one
      telling = new StreamWriter(service, table, { epoch, rolledBack });
      want(everyone, "digest");
    },
    end() {
      forget();
      telling = undefined;
    },
    moved(changes) {
      if (!telling || behind) return;
      for (const [key, cell] of changes) rows.set(key, cell);
      void speak();
    },
    resume: () => void speak(),
    digest: () => want(everyone, "digest"),
    answer: (host, what) => want(hostKey(service, host), what),
  };
}

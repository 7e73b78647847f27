import type { WrongPlainSender, WrongTranscriber } from "../core/config/senders.ts";
import type { Service, Table } from "../core/service/service.ts";
import type { follow } from "../core/stream/host-end.ts";
import type { OrderMessage, Outcome } from "../core/stream/order.ts";
import type { DaemonCompared, TranscriberReport } from "../core/stream/report.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import type { Machine } from "../ports/machine.ts";
import type { HostStore } from "./store/host-store.ts";

/** The inputs of a host. */
export interface HostOptions {
  readonly name: string;
  /** The services of this host by name; the transcriber's own is not among them. */
  readonly services: ReadonlyMap<string, Service>;
  /** The hash of each service's file. */
  readonly codes: ReadonlyMap<string, string>;
  readonly store: HostStore;
  /** The machine on which a service works: the same for all services, except for a host that only observes. */
  machineOf(service: string): Machine;
  /** The most removals of a service's rows within an hour, by the number of applied rows; no limit if it is absent. */
  removalLimit?(service: string, rows: number): number;
  /** True if the last row of a service may be removed without a question, with a limit; false if it is absent. */
  mayEmpty?(service: string): boolean;
  /** The longest wait of a service's changes for hosts of earlier waves, in milliseconds; undefined without any. */
  waveWithin?(service: string): number | undefined;
  /** The interval of full runs of every service, in milliseconds. Without it, full runs happen only when needed. */
  readonly fullEvery?: number;
  /**
   * Compares the records of a daemon with the applied rows, and changes nothing. Without it a `verify` ends with the
   * table.
   */
  compareDaemon?(service: string, table: Table, signal: AbortSignal): Promise<DaemonCompared>;
  /** Returns the report of this host's transcriber; absent if it has none. */
  transcriber?(): TranscriberReport | undefined;
  /** Called when a run of a service has succeeded. */
  ran?(service: string): void;
  /**
   * Returns the reason to reject a message about rows; undefined to accept it. Without it every message is accepted.
   */
  distrust?(body: Uint8Array): string | undefined;
  /**
   * Has the transcriber of this host read the directory again, for a `verify` of a time; false if it has not
   * started. Absent without a transcriber.
   */
  verifyDirectory?(at: number): boolean;
  /**
   * Receives the orders that root gives on the machine itself, until the signal. Without it orders come by the broker
   * alone.
   */
  serveOrders?(obey: (order: OrderMessage) => Promise<Outcome>, signal: AbortSignal): Promise<void>;
  /**
   * Returns the reason to reject rows, waves and orders from a user of the broker. Without it those of every user count.
   */
  readonly wrongTranscriber?: WrongTranscriber;
  /** Returns the reason to reject a plain message from a user of the broker. Without it those of every user count. */
  readonly wrongPlainSender?: WrongPlainSender;
  /** Decides what to do with a message of the stream: `follow` of core/stream/host-end.ts by default. */
  readonly follow?: typeof follow;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Connects to the broker; called only after every service has had its first run. */
  connect(): Promise<Broker>;
  log(line: string): void;
}

import type { Followup } from "../../../src/core/stream/host-end.ts";
import type { StreamMessage } from "../../../src/core/stream/messages.ts";
import { type Random, seeded } from "../../../src/testing/random.ts";
import type { FollowRules } from "../follow-rules.ts";
import { type Host, host, type Said } from "./host.ts";
import { type Habits, type Sent, type Transcriber, transcriber } from "./transcriber.ts";
import { stateOf, type Truth, truth } from "./truth.ts";

/**
 * One service, two transcribers, one or two hosts, and a broker between them that can lose, delay and repeat messages.
 */

/** All rules of the stream; a run can remove each of them. */
export interface Rules extends FollowRules, Habits {
  /** True if a host reports each message that it refuses. */
  readonly spokenRefusal: boolean;
}

export interface World {
  readonly random: Random;
  readonly directory: Truth;
  readonly hosts: readonly Host[];
  readonly transcribers: readonly Transcriber[];
  readonly now: number;
  pass(milliseconds: number): void;
  note(line: () => string): void;
  /** Has a host take its next message, if there is one. The host may die before it sends or acknowledges anything. */
  take(host: number, options?: { dies?: boolean }): boolean;
  /** Starts a host, which sends hello. */
  start(host: number): void;
  /** Has a transcriber receive the next message of a host; false if there is none. */
  hear(transcriber: number): boolean;
  /** Loses one report. */
  mishear(transcriber: number): void;
  /** Pauses a transcriber's node of the broker: its messages arrive only after `unstick`. */
  stick(transcriber: number): void;
  unstick(transcriber: number): void;
  /** Crashes a transcriber. Its stuck messages, or only the first of them, may arrive later. */
  crash(transcriber: number): void;
  /** Delivers the messages of a crashed transcriber that were stuck; false if there are none. */
  arriveLate(): boolean;
  loseBroker(): void;
}

export function world(seed: number, rules: Rules, trace?: (line: string) => void): World {
  const random = seeded(seed);
  const directory = truth();
  const broker = { epoch: 0 };
  let now = 1_000_000;
  const beginning = now;
  const note = (line: () => string) => trace?.(`${((now - beginning) / 1000).toFixed(1).padStart(7)} s  ${line()}`);
  const hosts = Array.from({ length: random.chance(0.7) ? 1 : 2 }, () => host(directory, rules));
  const inboxes: Said[][] = [[], []];
  const stuck: (Sent[] | undefined)[] = [];
  let late: Sent[][] = [];

  const transcribers = inboxes.map((_, index) =>
    transcriber(index, { truth: directory, random, habits: rules, broker, send, note }),
  );
  function send(sent: Sent, from: number): void {
    note(() => `transcriber ${from} says ${named(sent.message)}${sent.to === "all" ? "" : ` to host ${sent.to}`}`);
    const waiting = stuck[from];
    if (waiting) waiting.push(sent);
    else route(sent);
  }
  function route({ to, message }: Sent): void {
    if (to === "all") for (const { queue } of hosts) queue.push(message);
    else hosts[to]?.queue.push(message);
  }
  function say(said: Said): void {
    for (const inbox of inboxes) inbox.push(said);
  }

  return {
    random,
    directory,
    hosts,
    transcribers,
    get now() {
      return now;
    },
    pass(milliseconds) {
      now += milliseconds;
    },
    note,
    take(index, { dies = false } = {}) {
      const taken = hosts[index]!.take();
      if (!taken) return false;
      const { message, followup } = taken;
      note(() => `host ${index} takes ${named(message)}: ${outcome(followup)}${dies ? ", and dies" : ""}`);
      if (dies) return true;
      if (followup.ask) say({ kind: "ask", host: index, want: followup.ask });
      const { mark } = followup.followed;
      if (followup.refused && mark && rules.spokenRefusal) {
        const { epoch, asOf } = mark;
        say({ kind: "refusal", host: index, epoch, asOf, refused: message.epoch, because: followup.refused });
      }
      return true;
    },
    start(index) {
      note(() => `host ${index} starts`);
      hosts[index]!.start();
      say({ kind: "ask", host: index, want: "digest" });
    },
    hear(index) {
      const said = inboxes[index]!.shift();
      if (said) transcribers[index]!.hear(said, now);
      return said !== undefined;
    },
    mishear(index) {
      inboxes[index]!.shift();
    },
    stick(index) {
      stuck[index] ??= [];
    },
    unstick(index) {
      const waiting = stuck[index];
      stuck[index] = undefined;
      waiting?.forEach(route);
    },
    crash(index) {
      note(() => `transcriber ${index} crashes`);
      transcribers[index]!.crash();
      const waiting = stuck[index];
      stuck[index] = undefined;
      if (waiting && random.chance(0.7)) late.push(waiting.slice(0, 1 + random.below(waiting.length)));
    },
    arriveLate() {
      const arriving = late.shift();
      arriving?.forEach(route);
      return arriving !== undefined;
    },
    loseBroker() {
      note(() => "the broker is lost with its disk");
      broker.epoch = 0;
      late = [];
      for (const { queue } of hosts) queue.lose();
      for (const inbox of inboxes) inbox.length = 0;
    },
  };
}

function named(message: StreamMessage): string {
  const { epoch, seq, asOf } = message;
  const place = `(${epoch}, ${seq}) as of state ${stateOf(asOf.state)}, phase ${asOf.clock}`;
  if (message.kind === "digest") return `a digest${message.buckets ? " with buckets" : ""} ${place}`;
  const rows = message.rows.map(([key, cell]) => `${key}=${cell ?? "gone"}`).join(" ") || "no rows";
  if (message.kind === "part") return `the part [${message.from}, ${message.to}) ${place}: ${rows}`;
  return `rows ${place}, piece ${message.piece}${message.more ? " of more" : ""}: ${rows}`;
}

function outcome({ refused, dropped, followed, ask }: Followup): string {
  if (refused) return `refused, its ${refused} is older`;
  if (dropped) return `dropped, ${dropped}`;
  return `taken${followed.doubt ? ", in doubt" : ""}${ask ? `, asks for ${JSON.stringify(ask)}` : ""}`;
}

import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { transcribersOf } from "../core/config/config.ts";
import { protocolVersion } from "../core/stream/messages.ts";
import { type Asked, type OrderMessage, type Outcome, orderIdOf, orderMessage } from "../core/stream/order.ts";
import { controlService, hostKey, orderLifetime, queueOf, reportService, serviceKey } from "../core/stream/routing.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { wrongBody } from "../core/util/wrong-body.ts";
import { systemClock } from "../daemon/clock.ts";
import { openSigner } from "../daemon/keys.ts";
import { askHost } from "../daemon/order-socket.ts";
import { isUp } from "../daemon/store-file.ts";
import type { Broker } from "../ports/broker.ts";
import type { Project } from "../project/project.ts";
import { answersTo, storesHere, transcribersHere } from "./order-answers.ts";

/** The longest wait for the answers of hosts elsewhere, in milliseconds. */
const answerWait = 10_000;
/** The longest wait for the broker, in milliseconds. One without memory takes nothing, and says so to no sender. */
const publishWait = 15_000;
/** The longest wait for the socket of a host that is up, in milliseconds. */
const startWait = 5_000;
/** The interval at which the answers are read, in milliseconds. */
const readInterval = 100;

/** An order to give. */
export interface Order {
  readonly asked: Asked;
  /** The hosts that shall obey; each runs the service. */
  readonly hosts: readonly string[];
  /** The user behind sudo, if the person used that. */
  readonly sudoUser?: string | undefined;
  /** Connects to the broker, if a host is elsewhere. */
  connect(): Promise<Broker>;
  readonly signal: AbortSignal;
}

/** The answer of one host: its outcome, or the reason why there is none. */
export type HostAnswer = { readonly host: string } & (
  | { readonly outcome: Outcome }
  /** `absent`: the order lapses. `unreached`: it was not sent. `unheard`: this machine hears no answers. */
  | { readonly none: "absent" | "unreached" | "unheard"; readonly why: string }
);

/**
 * Gives an order, and waits some seconds for the answers. A host on this machine takes it by its socket, without the
 * broker. The order to an absent host lapses.
 */
export async function giveOrder(
  project: Project,
  { asked, hosts, sudoUser, connect, signal }: Order,
): Promise<HostAnswer[]> {
  const at = systemClock.now();
  const order: OrderMessage = {
    ...{ trigger: protocolVersion, kind: "order", id: orderIdOf(at, randomBytes(10)), hosts, at, by: person(sudoUser) },
    ...asked,
  };
  mustBeTaken(order);
  const local = await Promise.all(hosts.map((host) => askHere(project, host, order, signal)));
  const elsewhere = hosts.filter((_, index) => local[index] === undefined);
  const remote =
    elsewhere.length > 0 ? await askElsewhere(project, { ...order, hosts: elsewhere }, { connect, signal }) : [];
  const all = new Map([...local, ...remote].flatMap((answer) => (answer ? [[answer.host, answer]] : [])));
  return hosts.flatMap((host) => all.get(host) ?? []);
}

/** Throws a `UserError` for an order that a host would not read. The same for a number, which each host gives itself. */
function mustBeTaken(order: OrderMessage): void {
  const read = orderMessage.safeParse(order);
  if (!read.success) throw new UserError(`no host takes this order: ${wrongBody(read.error, "the order")}`);
  const { order: asked, number, hosts } = order;
  if (number === undefined || hosts.length === 1) return;
  throw new UserError(
    `${asked} ${number}: each host has its own numbers; --host HOST names one of ${hosts.join(", ")}`,
  );
}

/** The person at this machine. */
const person = (sudoUser: string | undefined): string =>
  `${sudoUser || userInfo({ encoding: "utf8" }).username} on ${hostname()}`;

/**
 * The answer of a host on this machine; undefined for a host elsewhere. The process of a host that has just started may
 * not listen yet.
 */
async function askHere(
  project: Project,
  host: string,
  order: OrderMessage,
  signal: AbortSignal,
): Promise<HostAnswer | undefined> {
  if (!storesHere(project).includes(host)) return undefined;
  const { monotonic, sleep } = systemClock;
  const end = monotonic() + startWait;
  for (;;) {
    if (!isUp(project.state, host))
      return { host, none: "absent", why: `it is not up: \`trigger up --host ${host}\` starts it` };
    try {
      return { host, outcome: await askHost(project.state, host, order, signal) };
    } catch (error) {
      if (monotonic() > end || signal.aborted) return { host, none: "unreached", why: reason(error) };
      await sleep(readInterval, signal);
    }
  }
}

async function askElsewhere(
  project: Project,
  order: OrderMessage,
  { connect, signal }: Pick<Order, "connect" | "signal">,
): Promise<HostAnswer[]> {
  const { hosts } = order;
  const transcribers = transcribersOf(project.config).join(" or ");
  try {
    await publish(project, order, { connect, signal });
  } catch (error) {
    const why = `${reason(error)}; give it on ${transcribers}, or on the host itself`;
    return hosts.map((host) => ({ host, none: "unreached", why }));
  }
  if (transcribersHere(project).length === 0) {
    const why = `no transcriber is here, which hears the answer: \`trigger audit\` on ${transcribers} has it`;
    return hosts.map((host) => ({ host, none: "unheard", why }));
  }
  const answers = await awaitAnswers(project, order, signal);
  const lapses = `no answer within ${answerWait / 1000} s: it is down, or cut off; the order lapses after ${orderLifetime / 1000} s`;
  return hosts.map((host) => {
    const outcome = answers.get(host)?.outcome;
    return outcome ? { host, outcome } : { host, none: "absent", why: lapses };
  });
}

/**
 * Publishes an order. Transcribers get their copy first: the answer of a host would otherwise come before it, and the
 * host's word would stand for the order.
 */
async function publish(
  project: Project,
  order: OrderMessage,
  { connect, signal }: Pick<Order, "connect" | "signal">,
): Promise<void> {
  const { config } = project;
  const sign = openSigner(project, () => {}) ?? ((body) => body);
  const body = sign(JSON.stringify(order));
  const queues = [
    ...order.hosts.map((host) => queueOf(host, controlService, "control")),
    ...transcribersOf(config).map((host) => queueOf(host, reportService, "report")),
  ];
  const [only, ...others] = order.hosts;
  const toOne = only !== undefined && others.length === 0;
  const over = new AbortController();
  const opening = connect();
  const send = async (): Promise<void> => {
    const broker = await opening;
    await broker.declare(queues);
    for (const key of [serviceKey(reportService), toOne ? hostKey(controlService, only) : serviceKey(controlService)]) {
      if (!over.signal.aborted) await broker.publish(key, body);
    }
  };
  try {
    await within(send(), signal);
  } finally {
    over.abort();
    const closing = opening.then((broker) => broker.close());
    await within(closing, signal).catch(() => {});
  }
}

/** The result of work with the broker. Throws if it takes too long, or the person gives up. */
async function within(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const late = systemClock.sleep(publishWait, AbortSignal.any([signal, done.signal])).then(() => {
    throw new Error(
      signal.aborted ? reason(signal.reason) : `the broker does not take it within ${publishWait / 1000} s`,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    done.abort();
    late.catch(() => {});
    work.catch(() => {});
  }
}

async function awaitAnswers(project: Project, { id, hosts }: OrderMessage, signal: AbortSignal) {
  const { monotonic, sleep } = systemClock;
  const end = monotonic() + answerWait;
  for (;;) {
    const answers = await answersTo(project, id, signal);
    if (hosts.every((host) => answers.has(host)) || monotonic() > end || signal.aborted) return answers;
    await sleep(readInterval, signal);
  }
}

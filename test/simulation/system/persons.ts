import { protocolVersion } from "../../../src/core/stream/messages.ts";
import { type Asked, orderIdOf } from "../../../src/core/stream/order.ts";
import { controlService, hostKey } from "../../../src/core/stream/routing.ts";
import { readFacts } from "../../../src/host/store/facts.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import { type ServiceName, serviceNames } from "./campus.ts";
import { changeDirectory } from "./changes.ts";
import { signedBy } from "./forger.ts";
import { file } from "./machine.ts";
import { editedText } from "./others.ts";
import { onHost, pick, type Step } from "./step.ts";
import type { HostProcess, World } from "./world.ts";

/** The acts of persons on hosts: they hold services, let them go on, and edit files of trigger by hand. */

/** The most hand edits of a host: a third one within the hour would hold the service. */
const mostEdits = 2;
const edits = new WeakMap<HostProcess, number>();

export const editByHand: Step = onHost((world, host) => {
  const { name, machine, store } = host;
  const text = machine.raw.text(file);
  const applied = store.raw.prepare("SELECT applied FROM install_path WHERE path = ?").get(file)?.applied;
  const times = edits.get(host) ?? 0;
  // An edit before the text was first applied would count as the content found there.
  if (text === undefined || typeof applied !== "string" || times >= mostEdits) return;
  edits.set(host, times + 1);
  const reload = world.random.chance(0.5);
  world.note(`on ${name} a person edits the file${reload ? " and reloads it" : ""}`);
  machine.edit(editedText(text), { reload });
  if (world.random.chance(0.8)) host.kill();
});

export const hold: Step = onHost((world, host) => {
  const service = pick(world, serviceNames);
  world.note(`a person holds ${service} on ${host.name}`);
  say(world, host, service, "hold");
  if (world.random.chance(0.7)) changeDirectory(world);
});

export const approve: Step = onHost((world, host) => {
  const service = pick(world, serviceNames);
  letGoOn(world, host, service);
});

/** Approves everything that waits for a person, except removals. True if anything waited. */
export function attend(world: World): boolean {
  let anything = false;
  for (const host of world.hosts) {
    for (const service of serviceNames) {
      const { held } = readFacts(host.store.raw, service) ?? {};
      const conflicts = "SELECT 1 FROM row WHERE service = ? AND retained_by = 'conflict'";
      const waits = host.store.raw.prepare(conflicts).get(service);
      if (!host.up || (held === undefined && waits === undefined)) continue;
      anything = true;
      letGoOn(world, host, service);
    }
  }
  return anything;
}

/** Shows removals to a person, who approves them later, when more of them may wait. */
export function approveShown(world: World, host: HostProcess): void {
  const shown = hostStore(host.store.raw).service("names").removals.held();
  if (!shown) return;
  world.note(`${shown.keys.length} removals of names are shown on ${host.name}, and approved later`);
  void world.time.sleep(world.random.below(4000)).then(() => {
    world.judge.saysApproved(host.name, shown.digest);
    say(world, host, "names", "approve", shown.digest);
  });
}

function letGoOn(world: World, host: HostProcess, service: ServiceName): void {
  world.note(`a person approves ${service} on ${host.name}`);
  world.watch.approved(host.name, service);
  const digest = hostStore(host.store.raw).service(service).records.conflicts()?.digest;
  if (digest !== undefined) say(world, host, service, "approve", digest);
  // A service held by a person goes on only by an order without a digest.
  if (digest === undefined || readFacts(host.store.raw, service)?.held?.by === "person")
    say(world, host, service, "approve");
}

function say(
  { network, random, time }: World,
  { name }: HostProcess,
  service: ServiceName,
  order: Asked["order"],
  digest?: string,
): void {
  const at = Math.round(time.monotonic());
  const id = orderIdOf(at, new Uint8Array(Array.from({ length: 10 }, () => random.below(256))));
  const asked: Asked = { service, order, ...(digest !== undefined && { digest }) };
  const message = { trigger: protocolVersion, kind: "order", id, hosts: [name], at, by: "a person", ...asked };
  network.say(hostKey(controlService, name), signedBy("t1", JSON.stringify(message)));
}

import { type Machine, type Person, rock } from "./campus.ts";
import type { World } from "./world.ts";

/**
 * The changes that administrators make in the directory. Addresses and names are few, so that they collide, move to
 * other machines and return.
 */

type Things = [uuid: string, thing: Person | Machine][];

const address = ({ random }: World): string => `10.0.0.${11 + random.below(8)}`;
const hostname = ({ random }: World): string => {
  if (random.chance(0.06)) return "bad-name";
  return random.chance(0.03) ? "broken-name" : `n${random.below(8)}`;
};

/** The function that reverts the last change, by world. */
const undo = new WeakMap<World, () => void>();

export const takeBack = (world: World): void => undo.get(world)?.();

/** Makes the last change permanent. */
export const keepChanges = (world: World): void => void undo.delete(world);

export function changeDirectory(world: World): void {
  const { random, directory, note, time } = world;
  const machines = [...directory.campus].filter(
    (one): one is [string, Machine] => one[1].kind === "machine" && one[0] !== rock.machine,
  );
  const people = [...directory.campus].filter(
    (one): one is [string, Person] => one[1].kind === "person" && one[0] !== rock.owner,
  );
  const before = directory.campus;
  const change = (what: string, put: Things, gone: readonly string[] = []): void => {
    note(`the directory: ${what}`);
    directory.change(put, gone);
    undo.set(world, () => {
      const back: Things = [...put.map(([uuid]) => uuid), ...gone].flatMap((uuid): Things => {
        const thing = before.get(uuid);
        return thing ? [[uuid, thing]] : [];
      });
      note("the directory: the last change is taken back");
      directory.change(
        back,
        put.map(([uuid]) => uuid).filter((uuid) => !before.has(uuid)),
      );
      undo.delete(world);
    });
  };
  const choose = <T>(from: readonly T[]): T | undefined => from[random.below(Math.max(1, from.length))];
  const rotate = (count: number): void => {
    const first = random.below(Math.max(1, machines.length));
    const some = Array.from({ length: count }, (_, index) => machines[(first + index) % machines.length]!);
    if (machines.length < count) return;
    const put = some.map(([uuid, machine], index): Things[number] => [
      uuid,
      { ...machine, ips: some[(index + 1) % count]![1].ips },
    ]);
    change(`${some.map(([uuid]) => uuid).join(", ")} exchange their addresses`, put);
  };

  const kind = random.below(12);
  const machine = choose(machines);
  const person = choose(people);
  if (kind < 3 || !machine || !person) {
    const uuid = `m${time.monotonic()}-${random.below(1e6)}`;
    const ips = random.chance(0.2) ? [address(world), address(world)] : [address(world)];
    const owner = person?.[0] ?? rock.owner;
    const made: Machine = { kind: "machine", name: hostname(world), ips: [...new Set(ips)], owner };
    change(`${uuid} appears: ${made.name} ${made.ips} of ${owner}`, [[uuid, made]]);
    return;
  }
  const [uuid, thing] = machine;
  if (kind === 3) change(`${uuid} goes`, [], [uuid]);
  if (kind === 4) change(`${uuid} moves`, [[uuid, { ...thing, ips: [address(world)] }]]);
  if (kind === 5) change(`${uuid} is renamed`, [[uuid, { ...thing, name: hostname(world) }]]);
  if (kind === 6) rotate(2);
  if (kind === 7) rotate(3);
  if (kind === 8) {
    const banned = !person[1].banned;
    change(`${person[0]} is ${banned ? "banned" : "forgiven"}`, [[person[0], { ...person[1], banned }]]);
  }
  if (kind === 9) {
    const paidUntil = time.now() + random.below(120_000) - 10_000;
    change(`${person[0]} has paid until ${new Date(paidUntil).toISOString()}`, [
      [person[0], { ...person[1], paidUntil }],
    ]);
  }
  if (kind === 10) {
    const { paidUntil: _, ...free } = person[1];
    change(`${person[0]} pays for ever`, [[person[0], free]]);
  }
  if (kind === 11) takeBack(world);
}

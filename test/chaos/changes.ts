import type { Lot } from "../../examples/campus/demo/lot.ts";
import {
  addNode,
  childrenOf,
  dnOf,
  type Model,
  type Node,
  nodeOf,
  remove,
  rename,
  replace,
  type Written,
} from "./model.ts";

/** The kinds of changes that a writer makes. A kind that finds nothing to change writes nothing. */

export interface Draw {
  readonly model: Model;
  readonly lot: Lot;
  /** The clock, in milliseconds since 1970, for terms that end soon. */
  readonly now: () => number;
}

type Change = (draw: Draw) => Written[];

const syllables = ["an", "bel", "cor", "del", "émi", "fré", "gün", "hør", "ïva", "jōe", "Ωme", "Журa", "李娜", "ßen"];
const halls = ["north", "south", "Île d'Été"];
/** The most machines: beyond this number some are deleted before another one is added. */
const most = 80;

const isOf = (objectClass: string) => (node: Node) => node.attributes.objectClass?.includes(objectClass) ?? false;
const all = ({ nodes }: Model, objectClass: string): Node[] => [...nodes.values()].filter(isOf(objectClass));
const machines = (model: Model): Node[] => all(model, "ipHost");
const members = (model: Model): Node[] => all(model, "inetOrgPerson");
const top = (model: Model, name: string): Node[] => childrenOf(model, 0).filter(({ rdn }) => rdn[1] === name);

/** Writes the first content of the directory: the same number of entries of each kind for every seed. */
export function beginning(draw: Draw): Written[] {
  const units = ["machines", "bans", "aliases", ...halls].map((name) => addUnit(draw.model, name));
  const more = [...times(24, addMember), ...times(6, addCampusMachine), ...times(10, addAlias), ...times(4, addBan)];
  return [...units, ...more.flatMap((change) => change(draw))];
}

const times = (count: number, change: Change): Change[] => new Array(count).fill(change);

const addUnit = (model: Model, name: string): Written =>
  addNode(model, { parent: 0, rdn: ["ou", name], attributes: { objectClass: ["organizationalUnit"] } });

const addMember: Change = ({ model, lot, now }) => {
  const number = model.next;
  const hall = lot.one(hallsOf(model)).id;
  const written = addNode(model, {
    parent: hall,
    rdn: ["cn", personName(lot, number)],
    attributes: {
      objectClass: ["inetOrgPerson", "campusMember"],
      sn: [lot.one(syllables)],
      uid: [`u${number}`],
      ...(lot.below(3) > 0 && { paidUntil: [term(lot, now())] }),
    },
  });
  const owned = Array.from({ length: lot.below(4) }, () => newMachine(model, lot, number));
  return [written, ...owned];
};

/** A name with letters of any script, and sometimes with a character that a DN must escape. */
const personName = (lot: Lot, number: number): string =>
  `${lot.one(syllables)}${lot.one(syllables)}${lot.one([" ", "-", ", ", "+"])}${lot.one(syllables)} ${number}`;

const hallsOf = (model: Model): Node[] =>
  childrenOf(model, 0).filter(({ rdn }) => !["machines", "bans", "aliases"].includes(rdn[1]));

/** The end of a term: mostly in years, sometimes in the past, sometimes in a few seconds. */
function term(lot: Lot, now: number): string {
  const dice = lot.below(10);
  if (dice > 2) return "20990101000000Z";
  if (dice > 1) return "20200101000000Z";
  return zoned(now + (2 + lot.below(15)) * 1000);
}

const zoned = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;

const ipOf = (number: number): string => `10.9.${1 + Math.floor(number / 250)}.${1 + (number % 250)}`;

function newMachine(model: Model, lot: Lot, parent: number): Written {
  const number = model.next;
  const hex = number.toString(16).padStart(6, "0").match(/../g) ?? [];
  return addNode(model, {
    parent,
    rdn: ["cn", `${lot.one(["pc", "lap", "Phone"])}${number}`],
    attributes: {
      objectClass: ["device", "ieee802Device", "ipHost"],
      macAddress: [`02:00:00:${hex.join(":")}`],
      ipHostNumber: [freshIp(model)],
    },
  });
}

/** An address that no machine has had before. */
const freshIp = (model: Model): string => ipOf(model.next++);

const room = ({ model, lot }: Draw): Written[] =>
  machines(model).length < most ? [] : remove(model, lot.one(machines(model)).id);

const addMachine: Change = (draw) => [
  ...room(draw),
  ...some(draw.lot, members(draw.model), ({ id }) => [newMachine(draw.model, draw.lot, id)]),
];

const addCampusMachine: Change = (draw) => [
  ...room(draw),
  ...top(draw.model, "machines").map(({ id }) => newMachine(draw.model, draw.lot, id)),
];

const addBan: Change = ({ model, lot, now }) =>
  some(lot, members(model), (member) => {
    const attributes = {
      objectClass: ["campusBan"],
      bannedMember: [dnOf(model, member.id)],
      ...(lot.below(2) === 0 && { banEnd: [term(lot, now())] }),
    };
    return top(model, "bans").map(({ id }) =>
      addNode(model, { parent: id, rdn: ["cn", `ban${model.next}`], attributes }),
    );
  });

const addAlias: Change = ({ model, lot }) => {
  const attributes = { objectClass: ["nisMailAlias"], rfc822MailMember: recipients(lot) };
  return top(model, "aliases").map(({ id }) =>
    addNode(model, { parent: id, rdn: ["cn", `team${model.next}`], attributes }),
  );
};

const recipients = (lot: Lot): string[] => [
  ...new Set(Array.from({ length: 1 + lot.below(3) }, () => `user${lot.below(40)}@elsewhere.example`)),
];

/** Applies a change to one of some nodes. */
const some = (lot: Lot, nodes: readonly Node[], act: (node: Node) => Written[]): Written[] =>
  nodes.length === 0 ? [] : act(lot.one(nodes));

/** Applies a change to two or three different machines. */
function among(draw: Draw, count: number, act: (chosen: Node[]) => Written[]): Written[] {
  const chosen = [...new Set(Array.from({ length: count }, () => draw.lot.one(machines(draw.model))))];
  return chosen.length === count ? act(chosen) : [];
}

/** Gives each node the value of the next one, and the last node that of the first. A free value is used in between. */
function rotate(nodes: readonly Node[], read: (node: Node) => string, aside: string, give: Give): Written[] {
  const values = nodes.map(read);
  const moves = nodes.map((node, at): [Node, string] => [node, values[(at + 1) % nodes.length] ?? aside]);
  const [first, ...others] = moves;
  if (!first) return [];
  // From the last node on, each takes the value that has just become free.
  return [[first[0], aside] as const, ...others.reverse(), first].map(([node, value]) => give(node, value));
}
type Give = (node: Node, value: string) => Written;

const ipFirst = (node: Node): string => node.attributes.ipHostNumber?.[0] ?? "";
const rotateIps =
  (count: number): Change =>
  (draw) =>
    among(draw, count, (chosen) =>
      rotate(chosen, ipFirst, freshIp(draw.model), ({ id }, ip) => replace(draw.model, id, { ipHostNumber: [ip] })),
    );
const rotateNames =
  (count: number): Change =>
  (draw) =>
    among(draw, count, (chosen) => {
      const aside = `aside${draw.model.next++}`;
      return rotate(
        chosen,
        ({ rdn }) => rdn[1],
        aside,
        ({ id }, name) => rename(draw.model, id, name),
      );
    });

const changeMachine =
  (give: (draw: Draw, machine: Node) => Record<string, readonly string[]>): Change =>
  (draw) =>
    some(draw.lot, machines(draw.model), (machine) => [replace(draw.model, machine.id, give(draw, machine))]);
const changeMember =
  (give: (draw: Draw, member: Node) => Record<string, readonly string[]>): Change =>
  (draw) =>
    some(draw.lot, members(draw.model), (member) => [replace(draw.model, member.id, give(draw, member))]);
const renameMachine =
  (name: (draw: Draw, machine: Node) => string): Change =>
  (draw) =>
    some(draw.lot, machines(draw.model), (machine) => [rename(draw.model, machine.id, name(draw, machine))]);

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
const otherCase = (text: string): string => (text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase());

/** The kinds of changes, each with its weight. */
export const kinds: Readonly<Record<string, readonly [weight: number, change: Change]>> = {
  "add a member": [2, addMember],
  "add a machine": [4, addMachine],
  "add a machine of the campus": [1, addCampusMachine],
  "add a ban": [2, addBan],
  "add an alias": [2, addAlias],
  "another address": [3, changeMachine(({ model }) => ({ ipHostNumber: [freshIp(model)] }))],
  "a second address": [1, changeMachine(({ model }, one) => ({ ipHostNumber: [ipFirst(one), freshIp(model)] }))],
  "another MAC": [
    1,
    changeMachine(({ model }) => ({
      macAddress: [`02-00-01-00-00-${(model.next++ % 256).toString(16).padStart(2, "0")}`],
    })),
  ],
  "another owner": [
    1,
    changeMachine(({ model, lot }) => ({
      owner: lot.below(2) > 0 && members(model).length > 0 ? [dnOf(model, lot.one(members(model)).id)] : [],
    })),
  ],
  "an address that another has": [
    1,
    changeMachine(({ model, lot }) => ({ ipHostNumber: [ipFirst(lot.one(machines(model)))] })),
  ],
  "another term": [2, changeMember(({ lot, now }) => ({ paidUntil: lot.below(4) ? [term(lot, now())] : [] }))],
  "another description": [
    1,
    changeMember(({ lot }) => ({ description: [`${lot.one(syllables)}\n${lot.one(syllables)}`] })),
  ],
  "rename a machine": [3, renameMachine(({ model }) => `Renamed${model.next++}`)],
  "a name that is none": [1, renameMachine(({ model, lot }) => `${lot.one(["é", "李", "a b", "_"])}${model.next++}`)],
  "the case of a machine's name": [2, renameMachine((_, { rdn }) => otherCase(rdn[1]))],
  "rename a member": [
    2,
    ({ model, lot }) => some(lot, members(model), ({ id }) => [rename(model, id, personName(lot, model.next++))]),
  ],
  "the case of a member's name": [
    2,
    ({ model, lot }) =>
      some(lot, members(model), ({ id, rdn }) => [rename(model, id, otherCase(rdn[1].replace("ß", "ss")))]),
  ],
  "rename a hall": [
    0.5,
    ({ model, lot }) =>
      some(lot, hallsOf(model), ({ id, rdn }) => [
        rename(model, id, `${rdn[1].split(" ")[0]} ${lot.one(syllables)}${model.next++}`),
      ]),
  ],
  "move a member with his machines": [
    2,
    ({ model, lot }) =>
      some(lot, members(model), ({ id, rdn }) => [rename(model, id, rdn[1], lot.one(hallsOf(model)).id)]),
  ],
  "move a machine": [
    2,
    ({ model, lot }) =>
      some(lot, machines(model), ({ id, rdn }) =>
        some(lot, members(model), (member) => [rename(model, id, rdn[1], member.id)]),
      ),
  ],
  "swap two names": [2, rotateNames(2)],
  "swap two addresses": [2, rotateIps(2)],
  "three names in a ring": [1, rotateNames(3)],
  "three addresses in a ring": [1, rotateIps(3)],
  "other recipients": [
    3,
    ({ model, lot }) =>
      some(lot, all(model, "nisMailAlias"), ({ id }) => [replace(model, id, { rfc822MailMember: recipients(lot) })]),
  ],
  "a second alias": [
    1,
    ({ model, lot }) =>
      some(lot, all(model, "nisMailAlias"), (node) => {
        const second = lot.below(3) === 0 ? [] : [`Crew${lot.below(12)}`];
        return [replace(model, node.id, { cn: second })];
      }),
  ],
  "delete a machine": [2, ({ model, lot }) => some(lot, machines(model), ({ id }) => remove(model, id))],
  "delete a member with his machines": [
    1,
    ({ model, lot }) => some(lot, members(model), ({ id }) => remove(model, id)),
  ],
  "delete a ban": [2, ({ model, lot }) => some(lot, all(model, "campusBan"), ({ id }) => remove(model, id))],
  "delete an alias": [1, ({ model, lot }) => some(lot, all(model, "nisMailAlias"), ({ id }) => remove(model, id))],
  "delete and make again": [
    2,
    ({ model, lot }) =>
      some(lot, machines(model), ({ id }) => {
        const { parent, rdn, attributes } = nodeOf(model, id);
        return [...remove(model, id), addNode(model, { parent, rdn, attributes })];
      }),
  ],
  "mend what is refused": [4, mend],
};

/** Gives one machine without a row a name and an address of its own. */
function mend({ model, lot }: Draw): Written[] {
  const seen = new Map<string, number>();
  for (const machine of machines(model))
    for (const ip of machine.attributes.ipHostNumber ?? []) seen.set(ip, (seen.get(ip) ?? 0) + 1);
  const wrong = machines(model).filter(({ rdn, attributes: { ipHostNumber = [] } }) => {
    const shared = ipHostNumber.some((ip) => (seen.get(ip) ?? 0) > 1);
    return shared || ipHostNumber.length > 1 || !isAscii(rdn[1]) || /[ _]/.test(rdn[1]);
  });
  return some(lot, wrong, ({ id }) => [
    rename(model, id, `mended${model.next++}`),
    replace(model, id, { ipHostNumber: [freshIp(model)] }),
  ]);
}

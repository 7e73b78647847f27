import {
  type Change,
  type Directory,
  type Entry,
  Hostname,
  Ip,
  Ipv4,
  Mac,
  registry,
  type Select,
  service,
  z,
} from "trigger";

// What must compile without a cast, an `as const` or an annotation more than these.

const row = z.object({ mac: Mac, ip: Ipv4, comment: z.string().optional() });

export const table = service({
  async run({ rows, changes }, host) {
    for (const change of changes ?? []) {
      if (change.before === undefined) host.log(`added ${change.after.mac}`);
      else if (change.after === undefined) host.log(`removed ${change.before.mac}`);
      else host.log(`${change.before.ip} to ${change.after.ip}`);
    }
    await host.install(
      { path: "/etc/x", text: [...rows].map((one) => `${one.mac} ${one.ip} ${one.comment ?? ""}\n`).join("") },
      { check: ["check", "{staged}"], reload: async (on) => void (await on.tell(["reload"])) },
    );
    return { refused: [{ key: "k", why: "no" }] };
  },
  row,
  unique: ["mac", "ip"],
  secret: ["comment"],
  select(machine, directory) {
    if (!machine.is("ieee802Device")) return;
    const owner = directory.follow(machine, "owner")[0] ?? directory.parent(machine);
    if (!owner || !directory.during(undefined, owner.date("paidUntil"))) return;
    return { mac: machine.one("macAddress"), ip: machine.one("ipHostNumber") };
  },
  async observe() {
    return [{ mac: "aa:bb:cc:dd:ee:ff" }];
  },
});

/** Literals stay literal, with several shapes of row and with arrays of rows. */
const record = z.discriminatedUnion("type", [
  z.object({ type: z.literal("A"), name: Hostname, ip: Ip }),
  z.object({ type: z.literal("CNAME"), name: Hostname, target: Hostname }),
]);
export const union = service({
  row: record,
  unique: ["name"],
  select(entry) {
    if (entry.has("cNAMERecord")) return { type: "CNAME", name: entry.name, target: entry.one("cNAMERecord") };
    return entry.all("ipHostNumber").map((ip) => ({ type: "A", name: entry.name, ip }));
  },
  async run({ rows }, host) {
    for (const one of rows) host.log(one.type === "A" ? one.ip : one.target);
  },
});

export const inline = service({
  row: z.object({ kind: z.enum(["a", "b"]), at: z.string().default("x"), list: z.array(z.string()) }),
  select: (entry) => ({ kind: "a", list: entry.all("cn") }),
  async run() {},
});

export const brandAndRecord = service({
  row: z.object({ id: z.string().brand("id"), notes: z.record(z.string(), z.string()), n: z.number().nullable() }),
  select: (entry) => ({ id: entry.uuid, notes: { a: entry.name }, n: null }),
  async run() {},
});

export const plain = service(z.object({ on: z.boolean() }), async ({ on }, host) => {
  await host.tell(["ip", "route", on ? "add" : "del", "default"]);
  const { record: keep, trigger } = registry(host);
  keep("self", plain);
  keep("table", table);
  await trigger("self")({ on: !on });
});

export const shared: Select<z.input<typeof row>> = (entry: Entry, directory: Directory) =>
  directory.reached(entry.date("from")) ? [{ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }] : undefined;

export const said = (change: Change<z.output<typeof row>>): string => change.after?.mac ?? change.before?.mac ?? "";

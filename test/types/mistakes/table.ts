import { Ipv4, Mac, type Select, service, z } from "trigger";

// Each mistake must be an error at the line of its mark, whose text has the mark's words.

const row = z.object({ mac: Mac, ip: Ipv4, comment: z.string().optional() });
const run = async (): Promise<void> => {};

service({
  row,
  unique: ["macc"], // @expect '"macc"' is not assignable
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }),
  run,
});

service({
  row,
  uniqe: ["mac"], // @expect 'uniqe' does not exist
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }),
  run,
});

service({
  row,
  refused: "keep", // @expect not assignable to type '"remove" | readonly string[]
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }),
  run,
});

service({
  row,
  secret: ["pasword"], // @expect '"pasword"' is not assignable
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }),
  run,
});

// @expect-next Property 'run' is missing
service({
  row,
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }),
});

service({
  row,
  select: (entry) => ({ mac: entry.one("macAddress") }), // @expect Property 'ip' is missing
  run,
});

service({
  row,
  select: (entry) => ({ mac: entry.one("macAddress"), ip: 7 }), // @expect 'number' is not assignable to type 'string'
  run,
});

service({
  row,
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.maybe("ipHostNumber") }), // @expect 'undefined' is not assignable
  run,
});

service({
  row,
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber"), coment: "" }), // @expect the row has no column coment
  run,
});

service({
  row,
  select: async (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }), // @expect Promise<
  run,
});

service({
  row: z.object({ since: z.date() }), // @expect a row travels as JSON and is read twice
  select: () => ({ since: new Date() }),
  run,
});

service({
  row: z.object({ count: z.string().transform(Number) }), // @expect a row travels as JSON and is read twice
  select: () => ({ count: "7" }),
  run,
});

service({
  row: z.object({ size: z.bigint() }), // @expect a row travels as JSON and is read twice
  select: () => ({ size: 7n }),
  run,
});

service({
  row,
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }),
  async run({ rows, changes }, host) {
    for (const one of rows) host.log(one.macc); // @expect Property 'macc' does not exist
    for (const change of changes) host.log(change.key); // @expect 'changes' is possibly 'undefined'
    for (const { after } of changes ?? []) host.log(after.mac); // @expect 'after' is possibly 'undefined'
  },
});

service({
  row,
  select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber") }),
  run,
  // @expect-next '{ mack: string; }' has no properties in common
  async observe() {
    return [{ mack: "aa:bb:cc:dd:ee:ff" }];
  },
});

export const select: Select<{ mac: string; ip: string }> = (entry) => ({ mac: entry.one("macAddress") }); // @expect Property 'ip' is missing

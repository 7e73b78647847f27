import { files, z } from "trigger";
import { at } from "../lib/place.ts";

// Names as they are written, in any script and case.
export default files({
  row: z.object({ id: z.string(), uid: z.string(), name: z.string(), hall: z.string(), machines: z.number() }),
  unique: ["uid"],
  pace: 100,
  select(member, directory) {
    if (!member.is("inetOrgPerson")) return;
    const machines = directory.children(member).filter((below) => below.is("ipHost"));
    const hall = directory.parent(member)?.name ?? "";
    return { id: member.uuid, uid: member.one("uid"), name: member.one("cn"), hall, machines: machines.length };
  },
  files: (rows, host) => ({
    path: at(`out/${host.name}/people`),
    text: [...rows]
      .map(({ id, uid, name, hall, machines }) => `${JSON.stringify([id, uid, name, hall, machines])}\n`)
      .join(""),
  }),
});

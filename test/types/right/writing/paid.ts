import { openDirectory } from "trigger/directory";

await using directory = await openDirectory("/etc/trigger", { who: "adhesion", why: "alice has paid" });
const alice = await directory.read("uid=alice,dc=campus,dc=example");
if (!alice) throw new Error("there is no alice");
const paid = { kind: "replace", attribute: "paidUntil", values: ["20270930"] } as const;
const change = await directory.modify(alice, [paid]); // refused if alice has changed since she was read
console.log(change.id, change.before?.attributes.get("paiduntil"), change.after?.attributes.get("paiduntil"));
for (const { host, service, why } of await directory.notApplied([change], { seconds: 30 })) {
  console.log(`${host} ${service} has not applied it: ${why}`);
}

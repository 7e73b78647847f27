import { freeradius } from "trigger";

export default freeradius({
  reply: { "Session-Timeout": "number" },
  select(entry, directory) {
    if (entry.is("ieee802Device")) return { name: entry.one("macAddress"), vlan: "20" };
    if (!entry.is("posixAccount") || !directory.during(undefined, entry.date("paidUntil"))) return;
    const password = `{NT}${entry.one("sambaNTPassword")}`;
    return { name: entry.one("uid"), password, vlan: "10", reply: { "Session-Timeout": "86400" } };
  },
  on: { radius2: { macForm: "AA-BB-CC-DD-EE-FF" } },
});

import { kea } from "trigger";
import { hasAccess } from "../lib/members.ts";
import { place } from "../lib/place.ts";

export default kea({
  ...place.kea,
  select(machine, directory) {
    if (!machine.is("ieee802Device") || !hasAccess(machine, directory)) return;
    return { mac: machine.one("macAddress"), ip: machine.one("ipHostNumber"), name: machine.name };
  },
});

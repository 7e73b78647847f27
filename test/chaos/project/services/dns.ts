import { bind } from "trigger";
import { hasAccess } from "../lib/members.ts";
import { place } from "../lib/place.ts";

export default bind({
  zone: "campus.example",
  reverse: ["10.9.0.0/16"],
  ...place.named,
  select(machine, directory) {
    if (!machine.is("ipHost") || !hasAccess(machine, directory)) return;
    return { name: machine.name, ips: machine.all("ipHostNumber") };
  },
});

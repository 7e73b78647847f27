import { command, UserName, z } from "trigger";

export default command({
  row: z.object({ name: UserName, badge: z.string().regex(/^[0-9A-F]{8}$/) }),
  unique: ["name", "badge"],
  select(member, directory) {
    if (!member.is("campusMember") || !member.has("badgeNumber")) return;
    if (!directory.during(undefined, member.date("paidUntil"))) return;
    return { name: member.one("uid"), badge: member.one("badgeNumber") };
  },
  command: ["/usr/local/sbin/doors"],
});

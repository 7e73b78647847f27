import { fileURLToPath } from "node:url";
import { files, UserName, z } from "trigger";

const at = (name: string): string => fileURLToPath(new URL(`../out/${name}`, import.meta.url));

export default files({
  row: z.object({ user: UserName }),
  unique: ["user"],
  select(member, directory) {
    if (!member.has("paidUntil") || !directory.during(undefined, member.date("paidUntil"))) return;
    return { user: member.one("uid") };
  },
  files: (rows) => ({ path: at("guests"), text: [...rows].map(({ user }) => `${user}\n`).join("") }),
  check: ["awk", "NF != 1 { exit 1 }", "{staged}"],
  on: { door: { files: (rows) => ({ path: at("door"), text: `${rows.size} may enter\n` }), check: false } },
});

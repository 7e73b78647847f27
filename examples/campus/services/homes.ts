import { homes } from "trigger";
import { canChown, out } from "../lib/here.ts";

const base = out("mail/homes");

// A home for every account. It belongs to the uidNumber: a member who takes another name keeps it.
export default homes({
  select(member) {
    if (!member.is("posixAccount")) return;
    const home = member.one("homeDirectory").replace("/home", base); // on a real host as it is
    return { uid: member.one("uidNumber"), gid: member.one("gidNumber"), home };
  },

  // Settings for one shared machine; a real host needs none of them.
  base,
  chown: canChown(),
});

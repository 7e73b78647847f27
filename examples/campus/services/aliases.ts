import { postfix } from "trigger";
import { ifHere, out } from "../lib/here.ts";

const path = out("mail/virtual");
const postmap = ifHere(["postmap", "cdb:{staged}"], "");

// The aliases of nisMailAlias, and the members' own addresses: what the service does by itself.
export default postfix({
  domains: ["campus.example"],
  // Settings for one shared machine; a real host needs none of them.
  path,
  type: "cdb",
  ...(postmap ? {} : { postmap: false }),
});

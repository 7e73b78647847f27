import { homes } from "trigger";

export default homes({
  base: "/home",
  skeleton: "/etc/skel",
  firstUid: 1000,
  on: { mail2: { base: "/srv/home", pack: true } },
});

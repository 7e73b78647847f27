import { postfix } from "trigger";
import { at } from "../lib/place.ts";

export default postfix({
  path: at("out/mail/virtual"),
  on: { box: { path: at("out/box/virtual") } },
  select(entry) {
    if (!entry.is("nisMailAlias") || !entry.has("rfc822MailMember")) return;
    return entry.all("cn").map((alias) => ({ alias, to: entry.all("rfc822MailMember") }));
  },
});

import { postfix } from "trigger";

export default postfix({
  select(entry) {
    if (!entry.is("nisMailAlias") || !entry.has("rfc822MailMember")) return;
    return { alias: `${entry.name}@campus.example`, to: entry.all("rfc822MailMember") };
  },
  on: { mx2: { type: "cdb" } },
});

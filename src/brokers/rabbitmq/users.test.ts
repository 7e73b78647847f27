import assert from "node:assert/strict";
import { test } from "node:test";
import { senderUser, vhostOf } from "../../core/config/permissions.ts";
import { commandsOf } from "./users.ts";

test("no password stands in a command, and no url ends a quotation", () => {
  const commands = commandsOf([senderUser("hr", "siren", [])], vhostOf("amqp://u:s3cret@h/it's"));
  assert.ok(!commands.includes("s3cret"));
  assert.match(commands, /^vhost='it'\\''s'$/m);
  assert.match(commands, /^printf %s '\{.*"vhost":"it'\\''s".*\}' > "\$definitions"$/m);
  assert.match(commands, /^user 'hr' '\^\$' '\^\(trigger\)\$' '\^\$' '\^\(trigger\\\.siren\)\$' '\^\$'$/m);
});

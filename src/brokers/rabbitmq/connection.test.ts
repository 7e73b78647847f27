import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../../../test/servers/port.ts";
import { openConnection } from "./connection.ts";
import { readAddress } from "./credentials.ts";

test("a failed connection gives its reason without the password", async () => {
  // The system's own words have this password in them, as those of a server or a proxy may.
  const password = "127.0.0.1";
  const target = readAddress({ url: `amqp://trigger-box@localhost:${await freePort()}`, password });
  const failed = await openConnection(target, "consumes", 10, () => {}).catch((error: Error) => error.message);
  assert.match(String(failed), /ECONNREFUSED.*\*{8}/);
  assert.ok(!String(failed).includes(password), String(failed));
});

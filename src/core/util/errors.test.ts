import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { freePort } from "../../../test/servers/port.ts";
import { reason } from "./errors.ts";

test("a reason is the message of an error and of its causes", () => {
  const error = new Error("the run failed", { cause: new Error("the reload failed", { cause: "exit 1" }) });
  assert.equal(reason(error), "the run failed: the reload failed: exit 1");
});

test("a host with two addresses that do not answer has a reason for each", async () => {
  const port = await freePort();
  const socket = connect({
    ...{ host: "two.example", port, autoSelectFamily: true },
    lookup: (_host, _options, found) =>
      found(null, [
        { address: "127.0.0.1", family: 4 },
        { address: "127.0.0.2", family: 4 },
      ]),
  });
  const [error] = await once(socket, "error").catch((failed) => [failed]);
  assert.equal(error.message, "", "what Node throws has no message of its own");
  assert.equal(reason(error), `connect ECONNREFUSED 127.0.0.1:${port}; connect ECONNREFUSED 127.0.0.2:${port}`);
});

test("an error without a message gives its name", () => {
  assert.equal(reason(new TypeError()), "TypeError");
  assert.equal(reason(new AggregateError([])), "AggregateError");
});

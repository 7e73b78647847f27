import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { runs } from "../../../test/hostile.ts";
import { hostKey, queueKeys, queueName, queueOf, serviceKey, wrongHostName, wrongServiceName } from "./routing.ts";

const hostNames = fc.stringMatching(/^[a-z0-9-]{1,8}$/).filter((name) => wrongHostName(name) === undefined);
const serviceNames = fc.stringMatching(/^[a-z0-9_-]{1,8}$/).filter((name) => wrongServiceName(name) === undefined);
const pairs = fc.tuple(hostNames, serviceNames);

test("names are those of the protocol", () => {
  assert.equal(queueName("civet", "event"), "trigger-civet-event");
  assert.deepEqual(queueKeys("dhcp1", "dhcp"), ["trigger.dhcp", "trigger.dhcp.dhcp1"]);
});

test("no two pairs of a host and a service have one queue", () => {
  assert.equal(wrongHostName("web-mail"), undefined);
  assert.match(String(wrongServiceName("mail-aliases")), /a service name has only/);
  fc.assert(
    fc.property(pairs, pairs, ([host, service], [otherHost, otherService]) => {
      fc.pre(host !== otherHost || service !== otherService);
      assert.notEqual(queueName(host, service), queueName(otherHost, otherService));
    }),
    { numRuns: runs(2000) },
  );
});

test("a queue's name has one reading: the service is behind the last -", () => {
  fc.assert(
    fc.property(pairs, ([host, service]) => {
      const name = queueName(host, service);
      assert.equal(name.slice(name.lastIndexOf("-") + 1), service);
      assert.equal(name.slice("trigger-".length, name.lastIndexOf("-")), host);
    }),
  );
});

test("a key reaches one service, and one host of it, for any names", () => {
  fc.assert(
    fc.property(pairs, ([host, service]) => {
      assert.equal(serviceKey(service).split(".").length, 2);
      assert.equal(hostKey(service, host).split(".").length, 3);
    }),
  );
});

test("a queue that cannot be repaired refuses when it is full, others drop", () => {
  assert.equal(queueOf("a", "secours", "plain").limit.beyond, "refuse");
  assert.equal(queueOf("a", "event", "eventTruth").limit.beyond, "refuse");
  assert.equal(queueOf("a", "dhcp", "table").limit.beyond, "drop");
  assert.equal(queueOf("a", "event", "event").limit.beyond, "drop");
});

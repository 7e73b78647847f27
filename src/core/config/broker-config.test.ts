import assert from "node:assert/strict";
import { test } from "node:test";
import { file, right, wrong } from "../../../test/fixtures/config.ts";
import { readConfig } from "./config.ts";

const url = "amqps://dhcp1@mq.campus.example";

test("the urls of a broker are a list; no broker is the embedded one", () => {
  const broker = {
    url,
    passwordFile: "p",
    ca: "ca.pem",
    cert: "c.pem",
    key: "k.pem",
    queues: "classic",
    heartbeat: 10,
  };
  assert.deepEqual(readConfig({ ...right, broker }, file).broker, { ...broker, url: [url] });
  assert.equal(readConfig(right, file).broker, undefined);
  assert.equal(wrong({ broker: "amqp://x" }), 'broker: expected { … }, found "amqp://x"');
  assert.equal(wrong({ broker: { url: "" } }), 'broker.url: expected a text, found ""');
});

const mistakes: [Record<string, unknown>, RegExp][] = [
  [{}, /broker.url is missing/],
  [
    { url, pasword: "x" },
    /unknown option of broker "pasword".*did you mean "passwordFile"|unknown option of broker "pasword"/,
  ],
  [{ url, heartbeet: 3 }, /did you mean "heartbeat"\?/],
  [{ url, queues: "quorom" }, /broker.queues: unknown kind of queue "quorom" .*did you mean "quorum"\?/],
  [{ url, heartbeat: 0.5 }, /whole seconds from 1 to 600, found 0.5/],
  [{ url, cert: "c.pem" }, /must be given together/],
  [{ url: "amqp://mq", ca: "ca.pem" }, /broker.ca needs a url that begins with amqps/],
  [{ url: "amqp://mq?heartbeat=3" }, /give options beside the url/],
  [{ url: "http://mq" }, /found "http:\/\/mq"/],
  [{ url: [] }, /broker.url is missing/],
  [{ url: [url, 5672] }, /broker.url: expected a text, found 5672/],
  [{ url: [url, "amqps://dhcp1@mq2:port"] }, /broker.url: expected amqp/],
  [{ url: [url, "amqp://dhcp1@mq2"] }, /differ only in host and port, but these in their protocol/],
  [{ url: [url, "amqps://dhcp2@mq2"] }, /these in their username/],
  [{ url: [url, `${url}/vhost`] }, /these in their pathname/],
  [{ url: ["amqp://mq1", "amqp://mq2"], ca: "ca.pem" }, /broker.ca needs a url/],
  [{ url, passwordFile: 3 }, /broker.passwordFile: expected a text, found 3/],
];
for (const [broker, expected] of mistakes) {
  test(`a mistake in the broker is named: ${expected.source}`, () => assert.match(wrong({ broker }), expected));
}

test("a broker of another machine has TLS and a user, or insecure: true", () => {
  const clear = [
    "amqp://u:s3cret@mq.campus.example",
    "amqp://u@10.1.2.3",
    "amqp://u@127.0.0.1.evil.example",
    "amqp://u@[2001:db8::1]",
    ["amqp://u@127.0.0.1", "amqp://u@mq2"],
  ];
  const anonymous = ["amqps://mq.campus.example", "amqps://mq.campus.example:5671/v"];
  const said = clear.map((url) => wrong({ broker: { url } }));
  for (const sentence of said) {
    assert.match(sentence, /^broker\.url: .* in the clear to .*: use amqps:\/\/, or .* broker\.insecure: true$/);
    assert.doesNotMatch(sentence, /s3cret/);
  }
  for (const url of anonymous) assert.match(wrong({ broker: { url } }), /names no user for .*broker\.insecure: true$/);
  for (const url of [...clear, ...anonymous]) {
    const read = readConfig({ ...right, broker: { url, insecure: true } }, file).broker;
    assert.deepEqual(read, { url: [url].flat(), insecure: true });
    assert.match(wrong({ broker: { url, insecure: false } }), /insecure: true$/);
  }
  for (const url of ["amqp://127.0.0.1:5673", "amqp://localhost", "amqp://[::1]", "amqp://u@127.1.2.3"]) {
    assert.deepEqual(readConfig({ ...right, broker: { url } }, file).broker, { url: [url] });
  }
  assert.match(wrong({ broker: { url, insecure: "yes" } }), /broker\.insecure: expected true or false/);
});

test("the nodes of a cluster are a list of urls", () => {
  const nodes = [url, "amqps://dhcp1@mq2.campus.example:5673"];
  assert.deepEqual(readConfig({ ...right, broker: { url: nodes, ca: "ca.pem" } }, file).broker?.url, nodes);
});

test("no mistake shows the password of its url", () => {
  const ofCluster = wrong({ broker: { url: ["amqp://u:s3cret@a", "amqp://u:s3cre@b"] } });
  assert.match(ofCluster, /these in their password$/);
  assert.doesNotMatch(ofCluster, /s3cr/);
  for (const url of ["http://u:s3cret@mq", "amqp:/u:s3cret@mq:x", "u:s3cr@s3cret@mq", "amqp://u:s3cret@mq?x=1"]) {
    for (const broker of [{ url }, { url: [url] }, { url: "amqps://a@mq", heartbeat: url }, url.replace("?x=1", "")]) {
      assert.doesNotMatch(wrong({ broker }), /s3cr/);
    }
  }
});

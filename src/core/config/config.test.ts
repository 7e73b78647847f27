import assert from "node:assert/strict";
import { test } from "node:test";
import { file, right, wrong } from "../../../test/fixtures/config.ts";
import { UserError } from "../util/errors.ts";
import { hostsOf, knownHost, knownService, readConfig, servicesOf, transcribersOf } from "./config.ts";

test("a config is read with its defaults in place", () => {
  const config = readConfig(right, file);
  assert.equal(config.timezone, "UTC");
  assert.equal(config.state, ".trigger");
  assert.deepEqual(servicesOf(config), ["dhcp", "dns"]);
  assert.deepEqual(hostsOf(config, "dhcp"), ["dhcp1", "ns1"]);
  assert.deepEqual(transcribersOf(config), ["civet"]);
});

test("an unknown option is named with the known ones and the nearest", () => {
  assert.equal(
    wrong({ timezon: "UTC" }),
    'unknown option "timezon" (known: broker, directory, evaluation, hosts, removals, senders, signing, state, timezone, waves); did you mean "timezone"?',
  );
  assert.match(wrong({ directory: { ldfi: "a" } }), /^unknown option of directory "ldfi" .*did you mean "ldif"\?$/);
});

test("an unknown option is reported before missing and wrong ones", () => {
  assert.match(wrong({ broker: { ulr: "amqp://mq" } }), /^unknown option of broker "ulr" .*did you mean "url"\?$/);
  assert.match(wrong({ state: 3, signing: { key: "k", trsut: [] } }), /^unknown option of signing "trsut"/);
});

test("an unknown time zone or city is answered with the zone that was meant", () => {
  const rule = "expected an IANA name, such as Europe/Paris";
  assert.equal(
    wrong({ timezone: "Europe/Berlim" }),
    `unknown time zone "Europe/Berlim": ${rule}; did you mean "Europe/Berlin"?`,
  );
  assert.equal(wrong({ timezone: "paris" }), `unknown time zone "paris": ${rule}; did you mean "Europe/Paris"?`);
  assert.equal(wrong({ timezone: "here, where I am" }), `unknown time zone "here, where I am": ${rule}`);
  assert.equal(wrong({ timezone: "" }), 'timezone: expected a text, found ""');
});

test("a name that the protocol does not allow is answered with the rule", () => {
  for (const host of ["Web", "web_1", "-web", "web-", "web.1", "", "wéb", "web ", "__proto__"]) {
    assert.match(wrong({ hosts: { [host]: ["event"] } }), /^a host name has only a-z, 0-9 and -/, host);
  }
  for (const name of ["mail-aliases", "Dhcp", "1dhcp", "_dhcp", "d.hcp", "dhcp\n", "__proto__"]) {
    assert.match(wrong({ hosts: { web: [name] } }), /^host web: a service name has only a-z, 0-9 and _/, name);
  }
  assert.match(wrong({ hosts: { web: ["report"] } }), /"report" is reserved/);
  assert.match(wrong({ hosts: { web: ["dhcp", "dhcp"] } }), /^host web: service "dhcp" is listed twice$/);
});

test("signing names the file of a key, and the keys that hosts trust", () => {
  assert.deepEqual(readConfig({ ...right, signing: { key: "k", trust: ["t"] } }, file).signing, {
    key: "k",
    trust: ["t"],
  });
  assert.equal(readConfig(right, file).signing, undefined);
  assert.equal(wrong({ signing: { trust: ["t"] } }), "signing.key is missing: a file, which `trigger key FILE` makes");
  assert.equal(wrong({ signing: { key: "" } }), 'signing.key: expected the name of a file, found ""');
  assert.match(
    wrong({ signing: { key: "k", trsut: [] } }),
    /unknown option of signing "trsut".*did you mean "trust"\?$/,
  );
  for (const trust of ["t", [], [7]]) {
    assert.match(wrong({ signing: { key: "k", trust } }), /^signing\.trust: expected a list of public keys and files/);
  }
});

test("a network without a host or without a transcriber is refused", () => {
  assert.match(wrong({ hosts: {} }), /^hosts is empty/);
  assert.match(wrong({ hosts: { dhcp1: ["dhcp"] } }), /^no host runs "event"/);
});

test("without a directory events are the truth, taken by one host alone", () => {
  assert.equal(readConfig({ hosts: right.hosts }, file).directory, undefined);
  assert.equal(
    wrong({ directory: undefined, hosts: { civet: ["event"], dhcp1: ["dhcp"], genet: ["event"] } }),
    'without a directory, events are the truth, and only one host may run "event": civet and genet do',
  );
  assert.equal(readConfig({ ...right, hosts: { civet: ["event"], genet: ["event"] } }, file).hosts.size, 2);
});

test("a value of the wrong kind is named by its kind, never printed whole", () => {
  const large = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`password${n}`, "swordfish"]));
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const value of [
    large,
    circular,
    [large],
    3,
    10n,
    true,
    null,
    undefined,
    "x".repeat(500),
    () => {},
    Symbol("s"),
  ]) {
    const said = [
      wrong({ directory: { ldif: value === "x".repeat(500) ? 1 : value } }),
      wrong({ hosts: Array.isArray(value) || typeof value !== "object" || !value ? value : { web: value } }),
      wrong({ hosts: { web: [value] } }),
    ].join("\n");
    assert.doesNotMatch(said, /swordfish/);
    assert.match(said, /expected a text, found|named with/);
  }
  assert.equal(wrong({ directory: ["a"] }), "directory: expected { … }, found a list");
  assert.equal(wrong({ directory: null }), "directory: expected { … }, found null");
  assert.equal(wrong({ hosts: { web: "event" } }), 'host web: expected a list of services, found "event"');
  for (const value of [undefined, null, "text", [], () => {}]) assert.throws(() => readConfig(value, file), UserError);
});

test("an unknown host or service is answered with the known ones", () => {
  const config = readConfig(right, file);
  assert.equal(knownHost(config, "ns1", file), "ns1");
  assert.throws(() => knownHost(config, "dhcp", file), {
    message: `${file}: unknown host "dhcp" (known: civet, dhcp1, ns1); did you mean "dhcp1"?`,
  });
  assert.equal(knownService(config, "dhcp", file), "dhcp");
  assert.throws(() => knownService(config, "event", file), {
    message: `${file}: unknown service "event" (known: dhcp, dns)`,
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/core/util/errors.ts";
import { bindZone, command, files, homes, iscDhcp, postfix } from "../../src/index.ts";

// What the compiler would say is said again when it was not asked.
const wrong: [make: () => unknown, said: RegExp][] = [
  [
    () => iscDhcp({ pth: "/x" } as object),
    /^iscDhcp: unknown option "pth" \(known: allowed, check, .*\); did you mean "path"\?$/,
  ],
  [
    () => iscDhcp({ on: { dhcp2: { relaod: false } } } as object),
    /^iscDhcp: on\.dhcp2: unknown option "relaod".*"reload"\?$/,
  ],
  [
    () => iscDhcp({ on: { dhcp2: { daemon: { unit: "dhcpd.service" } } } }),
    /^iscDhcp: on: daemon is the same on every host$/,
  ],
  [() => iscDhcp({ daemon: "dhcpd" as never }), /^iscDhcp: daemon: is not a daemon: .* \("dhcpd"\)$/],
  [() => iscDhcp({ omapi: true as never }), /^iscDhcp: omapi: is not the settings of OMAPI.* \(true\)$/],
  [
    () => iscDhcp({ omapi: { keyfile: "/x" } as object }),
    /^iscDhcp: omapi: unknown option "keyfile" \(known: command, keyFile, leases, port, server\); did you mean "keyFile"\?$/,
  ],
  [() => iscDhcp({ on: { "DHCP 2": {} } }), /^iscDhcp: on: a host name has only a-z/],
  [() => iscDhcp({ path: "hosts.conf" }), /^iscDhcp: path: is not an absolute path, such as \S+ \("hosts\.conf"\)$/],
  [
    () => iscDhcp({ reload: "systemctl restart" as never }),
    /^iscDhcp: reload: is not a command: .* \("systemctl restart"\)$/,
  ],
  [() => bindZone({ zone: "campus.example" } as never), /^bindZone: ns: is missing$/],
  [() => bindZone({ zone: "campus", ns: ["ns.x.example"] }), /^bindZone: zone: is not a domain name .*\("campus"\)$/],
  [
    () => bindZone({ zone: "a.example", ns: ["ns.x.example"], records: ["$INCLUDE /etc/passwd"] }),
    /^bindZone: records\.0: is not one line/,
  ],
  [
    () => bindZone({ zone: "a.example", ns: ["ns.x.example"], reverse: ["10.0.0.0/30"] }),
    /^bindZone: reverse\.0: has no reverse zone/,
  ],
  [
    () => bindZone({ zone: "a.example", ns: ["ns.x.example"], on: { ns2: { zone: "b.example" } } }),
    /^bindZone: on: the zone is the same on every host, not also b\.example$/,
  ],
  [() => postfix({ type: "hash" as never }), /^postfix: type: is not a type of map: expected lmdb or cdb \("hash"\)$/],
  [() => homes({ mode: 0o70000 }), /^homes: mode: is not a mode/],
  [() => command({ command: "doors" } as never), /^command: command: is not a command/],
  [() => files({ uniqe: [] } as never), /^files: unknown option "uniqe".*did you mean "unique"\?$/],
];

test("a wrong option is one error that names service, option and rule", () => {
  for (const [make, said] of wrong) {
    assert.throws(make, (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, said);
      return true;
    });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { readRow } from "../../src/core/service/read-row.ts";
import type { Service } from "../../src/core/service/service.ts";
import { refusedBecause } from "../../src/core/util/errors.ts";
import { bind, bindZone, iscDhcp, kea, nftables } from "../../src/index.ts";
import { entry, selected, tableOf } from "./scene.ts";

const zone = { zone: "campus.example", ns: ["ns1.other.example"] };
const mac = "02:00:00:00:00:07";

/** The reason why a service refuses a row; undefined if it accepts it. */
function why(service: Service, row: object): string | undefined {
  const read = readRow(tableOf(service), row);
  return "wrong" in read ? read.wrong : undefined;
}

/** Each service of names with rows of a name and an address of its family. */
const services: [name: string, service: (options?: object) => Service, row: (name: string, ip: string) => object][] = [
  ["bind", (options) => bind({ zone: zone.zone, ...options }), (name, ip) => ({ name, ips: [ip] })],
  ["bindZone", (options) => bindZone({ ...zone, ...options }), (name, ip) => ({ name, ips: [ip] })],
  ["iscDhcp", (options) => iscDhcp({ ...options }), (name, ip) => ({ mac, ip, name })],
  ["kea", (options) => kea({ ...options }), (name, ip) => ({ mac, ip, name })],
];
const discovery = ["localhost", "wpad", "isatap", "autodiscover", "autoconfig"];

for (const [name, service, row] of services) {
  test(`${name}: no machine has a name by which programs find a service`, () => {
    for (const reserved of discovery) {
      assert.match(why(service(), row(reserved, "10.0.0.7")) ?? "", new RegExp(`programs look for ${reserved} `));
      assert.equal(why(service({ allowed: [reserved] }), row(reserved, "10.0.0.7")), undefined);
    }
    assert.match(why(service(), row("WPAD", "10.0.0.7")) ?? "", /programs look for wpad/);
    for (const usual of ["ns1", "www", "mail", "wpad2"]) {
      assert.equal(why(service(), row(usual, "10.0.0.7")), undefined);
      assert.match(
        why(service({ reserved: [usual] }), row(usual, "10.0.0.7")) ?? "",
        /is reserved \(option reserved\)/,
      );
    }
    assert.match(why(service({ reserved: ["www"] }), row("wpad", "10.0.0.7")) ?? "", /wpad/);
  });

  test(`${name}: its rows are the same on every host`, () => {
    for (const other of [{ reserved: ["x"] }, { allowed: ["wpad"] }]) {
      assert.throws(() => service({ on: { host2: other } }), /the same on every host/);
    }
    assert.throws(() => service({ allowed: ["www"] }), /allowed.*is not a name that is reserved by default/);
  });
}

test("a discovery name is reserved at every depth, another one where it stands", () => {
  const deep = (name: string, options = {}) => why(bind({ zone: zone.zone, ...options }), { name, ips: ["10.0.0.7"] });
  assert.match(deep("wpad.lab.campus.example") ?? "", /programs look for wpad/);
  assert.equal(deep("www.lab.campus.example", { reserved: ["www"] }), undefined);
  assert.match(deep("www.campus.example", { reserved: ["www"] }) ?? "", /is reserved/);
  assert.match(why(kea(), { mac, ip: "10.0.0.7", name: "wpad.campus.example" }) ?? "", /programs look for wpad/);
});

const [machines4, machines6] = [
  ["10.0.0.7", "100.64.0.1", "192.0.2.1", "223.255.255.254"],
  ["2001:db8::7", "fd00::7"],
];
const nobodys4 = ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "169.254.1.1", "192.0.0.8", "224.0.0.1"].concat([
  "239.1.1.1",
  "240.0.0.1",
  "255.255.255.255",
]);
const nobodys6 = ["::", "::1", "::a00:7", "::ffff:10.0.0.7", "100::1", "fe80::1", "febf::1", "ff02::1"];

for (const [name, service, row] of services) {
  test(`${name}: an address that no machine has is refused`, () => {
    for (const ip of machines4) assert.equal(why(service(), row("pc7", ip)), undefined, ip);
    for (const ip of nobodys4) assert.match(why(service(), row("pc7", ip)) ?? ip, /which no machine has/);
    const six = name === "kea" ? service({ family: 6 }) : service();
    if (name === "iscDhcp") return;
    for (const ip of machines6) assert.equal(why(six, row("pc7", ip)), undefined, ip);
    for (const ip of nobodys6) assert.match(why(six, row("pc7", ip)) ?? ip, /which no machine has/);
  });
}

for (const [name, service, row] of services) {
  test(`${name}: a reserved address or network is no row's`, () => {
    const reserved = ["10.0.0.1", "10.0.1.0/24", "2001:DB8:0::1", "2001:db8:1::/48", "ns1"];
    for (const ip of ["10.0.0.1", "10.0.1.0", "10.0.1.255"]) {
      assert.match(
        why(service({ reserved }), row("pc7", ip)) ?? "",
        /is reserved: 10\.0\.[01]\.[01](\/24)? \(option reserved\)/,
      );
    }
    for (const ip of ["10.0.0.2", "10.0.2.1"]) assert.equal(why(service({ reserved }), row("pc7", ip)), undefined);
    if (name === "iscDhcp") return;
    const six = service({ reserved, ...(name === "kea" ? { family: 6 } : {}) });
    for (const ip of ["2001:db8::1", "2001:db8:1:2::3"])
      assert.match(why(six, row("pc7", ip)) ?? "", /is reserved: 2001/);
    assert.equal(why(six, row("pc7", "2001:db8:2::1")), undefined);
  });
}

test("a zone has any address if its option says so", () => {
  for (const service of [bind({ zone: zone.zone, anyAddress: true }), bindZone({ ...zone, anyAddress: true })]) {
    assert.equal(why(service, { name: "2.0.0.127.campus.example", ips: ["127.0.0.2"] }), undefined);
  }
});

test("a MAC address of a group, or of zeros, is refused", () => {
  for (const service of [kea(), iscDhcp()]) {
    for (const mac of ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01", "00:00:00:00:00:00"]) {
      assert.match(why(service, { mac, ip: "10.0.0.7", name: "pc7" }) ?? "", /no machine has/, mac);
    }
  }
});

test("nftables lets a machine pass by its own addresses, and by no other", () => {
  const machine = (macs: string[], ips: string[]) =>
    entry(["ieee802Device", "ipHost"], "pc7", { macaddress: macs, iphostnumber: ips });
  const rows = selected(nftables({ rules: "chain c {}" }), machine([mac], ["10.0.0.7", "224.0.0.1"])) as object[];
  const refused = (row: object | undefined) => String((row as { [refusedBecause]?: Error })?.[refusedBecause] ?? "");
  assert.equal(refused(rows[0]), "");
  assert.match(refused(rows[1]), /ipHostNumber 224\.0\.0\.1 is a multicast address/);
  const guarded = nftables({ rules: "chain c {}", reserved: ["10.0.0.0/24"] });
  const [router] = selected(guarded, machine([mac], ["10.0.0.1"])) as object[];
  assert.match(refused(router), /ipHostNumber 10\.0\.0\.1 is reserved: 10\.0\.0\.0\/24/);
  assert.throws(() => nftables({ rules: "", reserved: ["ns1"] }), /reserved\.0: is not an address or a network/);
  const [all] = selected(nftables({ rules: "chain c {}" }), machine(["ff:ff:ff:ff:ff:ff"], ["10.0.0.7"])) as object[];
  assert.match(refused(all), /group address/);
});

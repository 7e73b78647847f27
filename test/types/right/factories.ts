import {
  bindZone,
  command,
  files,
  homes,
  iscDhcp,
  Mac,
  nftables,
  postfix,
  type registry,
  type Service,
  z,
} from "trigger";

const row = z.object({ mac: Mac, kind: z.enum(["wifi", "wired"]), room: z.string().optional() });

export const doors = files({
  row,
  unique: ["mac"],
  secret: ["room"],
  select(entry, directory) {
    if (!entry.is("device") || directory.parent(entry) === undefined) return;
    return [{ mac: entry.one("macAddress"), kind: "wifi" }];
  },
  files: (rows, host) => [
    { path: `/etc/${host.name}`, text: [...rows].map(({ mac, room = "" }) => `${mac} ${room}\n`).join("") },
  ],
  check: ["check", "{staged}"],
  reload: [
    ["reload", "a"],
    ["reload", "b"],
  ],
  on: { door2: { reload: false } },
});

export const outside = command({
  row,
  select: (entry) => ({ mac: entry.one("macAddress"), kind: "wired" }),
  command: ["/usr/local/sbin/doors"],
  daemon: { unit: "doors" },
  on: { door2: { command: ["/opt/doors", "--two"] } },
});

export const services: Service[] = [
  doors,
  outside,
  iscDhcp(),
  iscDhcp({ select: (entry) => ({ mac: entry.one("macAddress"), ip: entry.one("ipHostNumber"), name: entry.name }) }),
  bindZone({
    zone: "campus.example",
    ns: ["ns1.campus.example"],
    records: ["ns1 A 10.0.0.2"],
    select: (entry) => ({ name: entry.name, ips: entry.all("ipHostNumber") }),
    probe: { server: "127.0.0.1" },
  }),
  nftables({ rules: "/etc/nftables/gate.rules", refused: "remove" }),
  postfix({ type: "lmdb", postmap: false, domains: ["campus.example"], reserved: ["postmaster"] }),
  homes({ base: "/srv/home", skeleton: "/etc/skel", on: { mail2: { base: "/home" } } }),
];

export const recordAll = ({ record }: ReturnType<typeof registry>): void => {
  for (const [index, service] of services.entries()) record(`service${index}`, service);
};

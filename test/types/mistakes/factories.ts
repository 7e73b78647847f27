import { bindZone, command, files, homes, iscDhcp, Mac, z } from "trigger";

const row = z.object({ mac: Mac });

files({
  row,
  unique: ["macc"], // @expect '"macc"' is not assignable
  select: (entry) => ({ mac: entry.one("macAddress") }),
  files: () => [],
});

files({
  row,
  select: (entry) => ({ mac: entry.one("macAddress") }),
  files: (rows) => ({ path: "/etc/x", text: [...rows].map((one) => one.macc).join("") }), // @expect Property 'macc' does not exist
});

files({
  row,
  select: (entry) => ({ mac: entry.one("macAddress"), room: "7" }), // @expect the row has no column room
  files: () => [],
});

files({
  row,
  select: (entry) => ({ mac: entry.maybe("macAddress") }), // @expect 'undefined' is not assignable
  files: () => [],
});

command({
  row,
  select: (entry) => ({ mac: entry.one("macAddress") }),
  command: "/usr/local/sbin/doors", // @expect 'string' is not assignable
});

iscDhcp({
  select: (entry) => ({ mac: entry.one("macAddress"), name: entry.name }), // @expect Property 'ip' is missing
});

iscDhcp({
  pth: "/etc/dhcp/hosts.conf", // @expect 'pth' does not exist
});

iscDhcp({
  on: { dhcp2: { pth: "/etc/dhcp/hosts.conf" } }, // @expect 'pth' does not exist
});

// @expect-next Property 'ns' is missing
bindZone({ zone: "campus.example" });

homes({ base: 7 }); // @expect 'number' is not assignable

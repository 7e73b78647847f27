import { z } from "zod";
import type { PlacedMove } from "./moves.ts";
import type { Family, Identifier, Reservation } from "./reservation.ts";

/** Reservations as rows of Kea's hosts table (PostgreSQL, schema of Kea 1.4 and later), as text for psql. */

/** The numbers of the table host_identifier_type. */
const identifierTypes = ["hw-address", "duid", "circuit-id", "client-id", "flex-id"];

/** A text as a literal of SQL, which no character in it can end. */
export function quoted(text: string): string {
  if (text.includes("\0")) throw new Error("a text with a zero octet cannot be stored");
  const doubled = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}

/** An identifier in pairs with colons, as the octets of a column. */
const octets = (name: string): string => {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2})*$/.test(name)) throw new Error(`not octets in pairs: ${name.slice(0, 80)}`);
  return `'\\x${name.replaceAll(":", "")}'::bytea`;
};

const ipv4Number = (ip: string): number => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const ipv4Text = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");

/** The clients of some names. A name with the type of another identifier before it is of that type. */
function clients(names: Iterable<string>, by: Identifier): string {
  const pairs = [...names].map((name) => {
    const [, type = by, value = name] = /^([a-z-]+) (.*)$/s.exec(name) ?? [];
    const number = identifierTypes.indexOf(type);
    if (number < 0) throw new Error(`not a type of identifier: ${type}`);
    return `(${octets(value)}, ${number})`;
  });
  return `(dhcp_identifier, dhcp_identifier_type) IN (VALUES ${pairs.join(", ")})`;
}

/** The query for the reservations of some names and of some addresses; for all if neither is given. */
export function selectHosts(
  family: Family,
  by: Identifier,
  asked?: { readonly names?: Iterable<string>; readonly ips?: Iterable<string> },
): string {
  const conditions = asked && [
    ...(asked.names ? [clients(asked.names, by)] : []),
    ...(asked.ips ? [holding([...asked.ips], family)] : []),
  ];
  const addresses = `(SELECT json_agg(json_build_object('address', split_part(r.address::text, '/', 1), 'length', r.prefix_len, 'type', r.type)
    ORDER BY r.reservation_id) FROM ipv6_reservations r WHERE r.host_id = h.host_id)`;
  return `SELECT json_build_object('client', encode(dhcp_identifier, 'hex'), 'type', dhcp_identifier_type, 'subnet', dhcp${family}_subnet_id,
    'ip', ipv4_address, 'ips', ${family === 6 ? addresses : "NULL"}, 'hostname', hostname, 'classes', dhcp${family}_client_classes,
    'next', ${family === 4 ? "dhcp4_next_server" : "NULL"}, 'server', ${family === 4 ? "dhcp4_server_hostname" : "NULL"},
    'boot', ${family === 4 ? "dhcp4_boot_file_name" : "NULL"}, 'context', user_context,
    'options', (SELECT count(*) FROM dhcp${family}_options o WHERE o.host_id = h.host_id))
  FROM hosts h WHERE dhcp${family}_subnet_id IS NOT NULL${conditions ? ` AND (${conditions.join(" OR ")})` : ""} ORDER BY host_id;\n`;
}

function holding(ips: readonly string[], family: Family): string {
  if (ips.length === 0) return "false";
  if (family === 4) return `ipv4_address IN (${ips.map(ipv4Number).join(", ")})`;
  return `host_id IN (SELECT host_id FROM ipv6_reservations WHERE address IN (${ips.map(quoted).join(", ")}))`;
}

const nothing = z.null().transform(() => undefined);
const text = z.string().or(nothing);
const number = z.number().or(nothing);
const host = z.object({
  client: z.string(),
  type: z.number(),
  subnet: z.number(),
  ip: number,
  ips: z.array(z.object({ address: z.string(), length: z.number(), type: z.number() })).or(nothing),
  hostname: text,
  classes: text,
  next: number,
  server: text,
  boot: text,
  context: text,
  options: z.number(),
});

/** The reservations in the output of psql, in the words of Kea's configuration, each with the id of its subnet. */
export function readHosts(printed: string): { id: number; reservation: Reservation }[] {
  const lines = printed.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const one = host.parse(JSON.parse(line));
    const addresses = (one.ips ?? []).filter(({ type }) => type === 0).map(({ address }) => address);
    const prefixes = (one.ips ?? [])
      .filter(({ type }) => type !== 0)
      .map(({ address, length }) => `${address}/${length}`);
    const reservation = {
      [identifierTypes[one.type] ?? "flex-id"]: one.client,
      "ip-address": one.ip === undefined || one.ip === 0 ? undefined : ipv4Text(one.ip),
      "ip-addresses": addresses,
      prefixes,
      hostname: one.hostname,
      "client-classes": one.classes
        ?.split(",")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
      "next-server": one.next === undefined ? undefined : ipv4Text(one.next),
      "server-hostname": one.server,
      "boot-file-name": one.boot,
      "user-context": one.context,
      "option-data": one.options === 0 ? undefined : `${one.options} in the database`,
    };
    return { id: one.subnet, reservation };
  });
}

/** An advisory lock for writers on several machines, under a number of trigger's own. */
const lock = "SELECT pg_advisory_xact_lock(7491136720011);";

/** One transaction that replaces the reservations of some names; a mere check rolls it back at its end. */
export function replaceHosts(
  moves: readonly PlacedMove[],
  family: Family,
  by: Identifier,
  { only }: { only: "tried" | "done" },
): string {
  const other = family === 4 ? 6 : 4;
  const mine = clients(
    moves.map(({ name }) => name),
    by,
  );
  const lines = ["\\set QUIET on", "BEGIN;", "SET LOCAL statement_timeout = '30s';", lock];
  if (moves.length > 0) {
    // A client may have both families in one row: the columns of the other family stay.
    const address = family === 4 ? "ipv4_address = NULL, " : "";
    lines.push(
      `UPDATE hosts SET ${address}dhcp${family}_subnet_id = NULL WHERE ${mine} AND dhcp${family}_subnet_id IS NOT NULL AND dhcp${other}_subnet_id IS NOT NULL;`,
      `DELETE FROM hosts WHERE ${mine} AND dhcp${family}_subnet_id IS NOT NULL;`,
      ...insertHosts(moves, family, by),
    );
  }
  return [...lines, only === "done" ? "COMMIT;" : "ROLLBACK;", ""].join("\n");
}

/** One statement for all of IPv4: a first run on a large table then takes a second. */
function insertHosts(moves: readonly PlacedMove[], family: Family, by: Identifier): string[] {
  const columns = `dhcp_identifier, dhcp_identifier_type, dhcp${family}_subnet_id, hostname, dhcp${family}_client_classes`;
  const added = moves.flatMap(({ name, to, after }) => {
    if (!to || !after) return [];
    const [hostname, classes] = [after.name ?? "", (after.classes ?? []).join(",")].map(quoted);
    const values = `${octets(name)}, ${identifierTypes.indexOf(by)}, ${to.id}, ${hostname}, ${classes}`;
    return [{ values, ip: after.ip ?? "" }];
  });
  if (added.length === 0) return [];
  if (family === 4) {
    const rows = added.map(({ values, ip }) => `(${values}, ${ipv4Number(ip)})`);
    return [`INSERT INTO hosts (${columns}, ipv4_address) VALUES\n${rows.join(",\n")};`];
  }
  return added.map(
    ({ values, ip }) => `WITH made AS (INSERT INTO hosts (${columns}) VALUES (${values}) RETURNING host_id)
  INSERT INTO ipv6_reservations (address, prefix_len, type, host_id) SELECT ${quoted(ip)}, 128, 0, host_id FROM made;`,
  );
}

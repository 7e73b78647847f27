import type { BerWriter } from "ldapts";
import type { Table } from "../../src/core/service/service.ts";
import type { MessageReader } from "../../src/directories/ldap/message-reader.ts";
import { readWhole } from "../../src/directories/ldap/refresh.ts";
import { request } from "../../src/directories/ldap/requests.ts";
import { syncInfoOid, syncStateOid } from "../../src/directories/ldap/sync-controls.ts";
import { syncEntryReader } from "../../src/directories/ldap/sync-search.ts";
import { type Message, messageCutter } from "../../src/directories/ldap/wire.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { collect } from "../heap.ts";
import { benchService, machineEntry } from "./world.ts";

/** Prints what an LDAP directory takes in memory, and what a re-reading adds to it before it is taken as one change. */

const count = 100_000;
const { table } = benchService({ runs: 0, stored: () => {}, applied: () => {} }, {}) as { table: Table };
const tables = transcription(new Map([["dhcp", table]]), { timezone: "UTC" });
const log = (): void => {};
const empty = used();
tables.refresh((await readWhole(server(), 1, syncEntryReader(), { log })).entries, 0);
const held = used();
const taken = await added((uuid) => tables.entry(uuid));
const aside = await added(() => undefined);
process.stdout.write(
  `${mebibytes(held - empty)} MiB of heap; a re-reading adds ${mebibytes(taken)}, and ${mebibytes(aside)} if it took over nothing\n`,
);

async function added(entry: typeof tables.entry): Promise<number> {
  const whole = await readWhole(server(), 1, syncEntryReader(), { log, known: entry });
  const all = used();
  if (whole.entries.length !== count) throw new Error("not all was read");
  return all - held;
}

/** A server that sends the same entries each time that it is asked. */
function server(): MessageReader {
  const cut = messageCutter();
  let sent = 0;
  return {
    more: true,
    async next() {
      const bytes = sent < count ? entryBytes(sent) : endBytes();
      sent += 1;
      const [message] = cut(bytes);
      return message as Message;
    },
    answersTo: () => Promise.reject(new Error("no search is made here")),
  };
}

function entryBytes(number: number): Buffer {
  const { dn, attributes } = machineEntry(number);
  const value = Buffer.alloc(16);
  value.writeUInt32BE(number, 12);
  const all = [
    ...attributes,
    ["entryuuid", [`00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`]],
    ["entrycsn", [`20261122114309.${String(number).padStart(6, "0")}Z#000000#001#000000`]],
    ["creatorsname", ["cn=admin,dc=campus,dc=example"]],
    ["createtimestamp", ["20261122114309Z"]],
    ["modifiersname", ["cn=admin,dc=campus,dc=example"]],
    ["modifytimestamp", ["20261122114309Z"]],
  ] as [string, string[]][];
  const body = (writer: BerWriter): void => {
    writer.startSequence(0x64);
    writer.writeString(dn);
    writer.startSequence();
    for (const [name, values] of all) {
      writer.startSequence();
      writer.writeString(name);
      writer.startSequence(0x31);
      writer.writeStringArray(values);
      writer.endSequence();
      writer.endSequence();
    }
    writer.endSequence();
    writer.endSequence();
  };
  const state = Buffer.concat([Buffer.from([0x30, 21, 0x0a, 1, 1, 0x04, 16]), value]);
  return request(1, body, [{ type: syncStateOid, critical: false, value: state }]);
}

/** The sync info message that ends the refresh: a refreshDelete without a cookie. */
function endBytes(): Buffer {
  return request(1, (writer) => {
    writer.startSequence(0x79);
    writer.writeString(syncInfoOid, 0x80);
    writer.writeBuffer(Buffer.from([0xa1, 0]), 0x81);
    writer.endSequence();
  });
}

function used(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

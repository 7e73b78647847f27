import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BerWriter } from "ldapts";
import { runs } from "../../../test/hostile.ts";
import { entryReader } from "./entry.ts";
import { messageReader } from "./message-reader.ts";
import { readWhole } from "./refresh.ts";
import { request, simpleBind } from "./requests.ts";
import { csnsOf, readSyncInfo, readSyncState } from "./sync-controls.ts";
import { syncEntryReader } from "./sync-search.ts";
import { type Message, messageCutter } from "./wire.ts";

const written = (write: (writer: BerWriter) => void): Buffer => {
  const writer = new BerWriter();
  write(writer);
  return writer.buffer;
};
const uuidBytes = Buffer.from("00112233445566778899aabbccddeeff", "hex");

/** An entry as slapd sends it. */
const entryMessage = (id: number, dn: string, values: readonly Buffer[]): Buffer =>
  request(
    id,
    (writer) => {
      writer.startSequence(0x64);
      writer.writeString(dn);
      writer.startSequence();
      writer.startSequence();
      writer.writeString("description");
      writer.startSequence(0x31);
      for (const value of values) writer.writeBuffer(value, 0x04);
      writer.endSequence();
      writer.endSequence();
      writer.endSequence();
      writer.endSequence();
    },
    [{ type: "1.3.6.1.4.1.4203.1.9.1.2", critical: false, value: stateValue(1) }],
  );
function stateValue(state: number): Buffer {
  return written((writer) => {
    writer.startSequence();
    writer.writeEnumeration(state);
    writer.writeBuffer(uuidBytes, 0x04);
    writer.endSequence();
  });
}

test("messages are the same for any cuts by the network", () => {
  const stream = Buffer.concat([
    entryMessage(1, "cn=a", [Buffer.from("x".repeat(300))]),
    entryMessage(2, "cn=é", [Buffer.from("y"), Buffer.from([0xff, 0x00])]),
    entryMessage(70_000, "", []),
  ]);
  const read = ({ id, body, controls }: Message): unknown => [
    id,
    entryReader()(body),
    readSyncState([...controls.values()][0] as Buffer),
  ];
  const whole = messageCutter()(stream).map(read);
  assert.equal(whole.length, 3);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 })), (sizes) => {
      const cut = messageCutter();
      const found: unknown[] = [];
      let at = 0;
      for (const size of [...sizes, stream.length]) {
        found.push(...cut(stream.subarray(at, at + size)).map(read));
        at += size;
      }
      assert.deepEqual(found, whole);
    }),
  );
});

test("a message above the limit is refused at its head, before it is held", () => {
  const cut = messageCutter();
  assert.deepEqual(cut(Buffer.from([0x30, 0x84])), []);
  assert.throws(() => cut(Buffer.from([0xff, 0xff, 0xff, 0xff])), /4294967301 bytes, the limit is 67108864/);
  assert.throws(() => messageCutter()(Buffer.from("HTTP/1.1 400")), /speaks no LDAP/);
  assert.throws(() => messageCutter()(Buffer.from([0x30, 0x80, 0, 0])), /malformed BER: a length of no bytes/);
  assert.throws(() => messageCutter()(Buffer.from([0x30, 0x89, 1, 1])), /a length of 9 bytes/);
});

test("an entry of a million small pieces is read in its time", { timeout: 60_000 }, () => {
  const values = Array.from({ length: 100_000 }, (_, n) => Buffer.from(`value ${n}`));
  const bytes = entryMessage(1, "cn=big", values);
  const cut = messageCutter();
  const found: Message[] = [];
  for (let at = 0; at < bytes.length; at += 10) found.push(...cut(bytes.subarray(at, at + 10)));
  assert.equal(entryReader()((found[0] as Message).body).attributes.get("description")?.length, 100_000);
});

test("values are text where they are UTF-8", () => {
  const [message] = messageCutter()(entryMessage(1, "cn=a", [Buffer.from("é"), Buffer.from([0xe9])]));
  const values = entryReader()((message as Message).body).attributes.get("description");
  assert.deepEqual(values, ["é", new Uint8Array([0xe9])]);
});

test("OpenLDAP's messages of a synchronization are read", () => {
  assert.deepEqual(readSyncState(stateValue(3)), {
    state: "delete",
    uuid: "00112233-4455-6677-8899-aabbccddeeff",
    cookie: undefined,
  });
  const cookie = "rid=000,csn=20261122114309.340073Z#000000#000#000000;20261122114309.403778Z#000000#001#000000";
  const done = written((writer) => {
    writer.startSequence(0xa1);
    writer.writeString(cookie);
    writer.endSequence();
  });
  assert.deepEqual(readSyncInfo(done), { cookie, refreshDone: true, uuids: [], gone: false });
  const set = written((writer) => {
    writer.startSequence(0xa3);
    writer.writeBoolean(true);
    writer.startSequence(0x31);
    writer.writeBuffer(uuidBytes, 0x04);
    writer.endSequence();
    writer.endSequence();
  });
  assert.deepEqual(readSyncInfo(set).uuids, ["00112233-4455-6677-8899-aabbccddeeff"]);
  assert.ok(readSyncInfo(set).gone);
  assert.equal(csnsOf(cookie).length, 2);
  assert.deepEqual(csnsOf("rid=1,csn=rubbish"), []);
  assert.throws(() => readSyncState(stateValue(9)), /sync state 9/);
});

test("no bytes make the decoders hang, crash or invent content", () => {
  const seeds = [entryMessage(1, "cn=a", [Buffer.from("x")]), request(2, simpleBind("cn=a", "b")), stateValue(1)];
  const mutated = fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
    )
    .map(([seed, edits]) => {
      const bytes = Buffer.from(seed);
      for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
      return bytes;
    });
  const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const survives = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      assert.match((error as Error).message, /^(malformed BER|the server (speaks no|sends))/);
    }
  };
  fc.assert(
    fc.property(fc.oneof(mutated, random), (bytes) => {
      survives(() => {
        for (const message of messageCutter()(bytes)) {
          survives(() => syncEntryReader()(message));
          for (const value of message.controls.values()) survives(() => readSyncState(value));
        }
      });
      for (const read of [readSyncState, readSyncInfo]) survives(() => read(bytes));
    }),
    { numRuns: runs(5_000) },
  );
});

test("other messages during a search stay, in their order", async () => {
  const batches = [1, 2].map((id) => messageCutter()(entryMessage(id, `cn=${id}`, [])));
  const end = messageCutter()(
    request(2, (writer) => {
      writer.startSequence(0x65);
      writer.writeEnumeration(0);
      writer.writeString("");
      writer.writeString("");
      writer.endSequence();
    }),
  );
  const last = messageCutter()(entryMessage(1, "cn=3", []));
  const arriving = [batches.flat(), [...end, ...last]];
  const messages = messageReader({
    send: () => 0,
    heard: 0,
    close: () => {},
    next: async () => arriving.shift() ?? assert.fail("nothing more comes"),
  });
  const { entries } = await messages.answersTo(2);
  assert.deepEqual(
    entries.map(({ id }) => id),
    [2],
  );
  const dns = [(await messages.next()).body.text("dn"), (await messages.next()).body.text("dn")];
  assert.deepEqual(dns, ["cn=1", "cn=3"]);
  await assert.rejects(readWhole(messages, 1, syncEntryReader(), { log() {} }), /nothing more comes/);
});

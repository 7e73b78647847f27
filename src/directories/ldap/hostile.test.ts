import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { BerWriter } from "ldapts";
import { damaged, damages, runs, runsWithin } from "../../../test/hostile.ts";
import { entryFound } from "../../../test/servers/scripted-ldap.ts";
import { until } from "../../../test/until.ts";
import type { SourceChange } from "../../ports/directory.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { request } from "./requests.ts";
import { ldapSource } from "./source.ts";
import { syncRequestOid } from "./sync-controls.ts";

/** A server that sends the given answer to each request, valid or not. */
const says = new Map<number, readonly Buffer[]>();
const open = new Set<Socket>();
let asked = 0;
const server = createServer((socket) => {
  open.add(socket);
  let requests = 0;
  socket.on("error", () => {});
  socket.on("close", () => open.delete(socket));
  socket.on("data", () => {
    asked = performance.now();
    for (const piece of says.get(requests++) ?? []) socket.write(piece);
  });
});
test.before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
test.after(() => {
  for (const socket of open) socket.destroy();
  server.close();
});

const base = "dc=campus,dc=example";
const syncState = "1.3.6.1.4.1.4203.1.9.1.2";
const syncInfo = "1.3.6.1.4.1.4203.1.9.1.4";
const cookie = "rid=000,csn=20261122114309.340073Z#000000#000#000000";
const written = (write: (writer: BerWriter) => void): Buffer => {
  const writer = new BerWriter();
  write(writer);
  return writer.buffer;
};

const result = (id: number, tag: number, code = 0): Buffer =>
  request(id, (writer) => {
    writer.startSequence(tag);
    writer.writeEnumeration(code);
    writer.writeString("");
    writer.writeString(code === 0 ? "" : "no\u0000 such \u001b[31m thing");
    writer.endSequence();
  });

function entry(id: number, dn: string, uuid: number, state: number): Buffer {
  const value = written((writer) => {
    writer.startSequence();
    writer.writeEnumeration(state);
    writer.writeBuffer(Buffer.alloc(16, uuid), 0x04);
    writer.writeString(cookie);
    writer.endSequence();
  });
  const attributes = {
    objectClass: ["top"],
    cn: ["a", "é"],
    hasSubordinates: ["TRUE"],
    "usercertificate;binary": ["\0"],
  };
  const body = (writer: BerWriter): void => {
    writer.startSequence(0x64);
    writer.writeString(dn);
    writer.startSequence();
    for (const [name, values] of Object.entries(attributes)) {
      writer.startSequence();
      writer.writeString(name);
      writer.startSequence(0x31);
      for (const one of values) writer.writeString(one);
      writer.endSequence();
      writer.endSequence();
    }
    writer.endSequence();
    writer.endSequence();
  };
  return request(id, body, [{ type: syncState, critical: false, value }]);
}

/** A sync info message: a phase that ends, or a list of entries. */
const info = (id: number, tag: number): Buffer =>
  request(id, (writer) => {
    writer.startSequence(0x79);
    writer.writeString(syncInfo, 0x80);
    const value = written((inner) => {
      inner.startSequence(tag);
      inner.writeString(cookie);
      inner.writeBoolean(true);
      if (tag === 0xa3) {
        inner.startSequence(0x31);
        inner.writeBuffer(Buffer.alloc(16, 2), 0x04);
        inner.endSequence();
      }
      inner.endSequence();
    });
    writer.writeBuffer(value, 0x81);
    writer.endSequence();
  });

const bound = result(1, 0x61);
const supported = { supportedControl: [syncRequestOid], vendorName: ["\u001b[31m"], objectClass: ["OpenLDAProotDSE"] };
const self = Buffer.concat([entryFound(2, "", supported), result(2, 0x65)]);
const type = "( 1.2.3 NAME ( 'a' 'é' ) DESC 'USAGE' NO-USER-MODIFICATION USAGE dSAOperation )";
const schema = Buffer.concat([entryFound(3, "cn=Subschema", { attributeTypes: [type] }), result(3, 0x65)]);
const content = Buffer.concat([entry(4, base, 1, 1), entry(4, `cn=a,${base}`, 2, 1), info(4, 0xa2)]);
const live = Buffer.concat([
  ...[entry(4, `cn=b,${base}`, 3, 2), entry(4, `cn=c,${base}`, 2, 2), info(4, 0xa3), entry(4, `cn=b,${base}`, 3, 3)],
  ...[info(4, 0xa1), result(4, 0x65)],
]);
const subtree = Buffer.concat([entry(5, `cn=b,${base}`, 3, 1), entry(5, `cn=x,cn=b,${base}`, 4, 1), result(5, 0x65)]);
const farewell = result(0, 0x78, 52);

/** The damage to one answer: to the bind, the root DSE, the schema or the search, or to the messages after them. */
const script = fc.record({
  which: fc.constantFrom("bind", "self", "schema", "content", "live", "subtree", "all", "nothing"),
  damage: damages,
  rubbish: fc.option(fc.uint8Array({ maxLength: 100 }), { nil: undefined }),
  pieces: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 5 }),
  bye: fc.boolean(),
});

async function heardOf(url: string, quiet = 20): Promise<SourceChange[]> {
  const clock = virtualClock(0);
  const stop = new AbortController();
  const access = { url, base, bindDn: "cn=admin", password: "secret" };
  const seen: SourceChange[] = [];
  const logged: string[] = [];
  const source = ldapSource({ ...access, clock, log: (line) => void logged.push(line) });
  const changes = source.changes(stop.signal);
  // A silent server is left after a timeout; two troubles show that the reader retries.
  const late = setInterval(() => void (performance.now() - asked > quiet && clock.advance(61_000)), 5);
  try {
    for await (const change of changes) {
      seen.push(change);
      if (change.kind === "trouble") assert.ok(change.why.length < 2_000 && !/[\0-\x1f]/.test(change.why), change.why);
      if (seen.filter(({ kind }) => kind === "trouble").length >= 2 || seen.length > 50) break;
    }
  } finally {
    clearInterval(late);
    stop.abort();
  }
  return seen;
}

test("any bytes of a server are a content, a change or trouble", async () => {
  const { port } = server.address() as { port: number };
  const url = `ldap://127.0.0.1:${port}`;
  says.clear();
  says.set(0, [bound]).set(1, [self]).set(2, [schema]).set(3, [content, live]).set(4, [subtree]);
  // Undamaged, it is a content and a change; if its end and its changes come in one piece, the next reading has them.
  const kinds = new Set<string>();
  await until(
    async () => {
      for (const { kind } of await heardOf(url, 1_000)) kinds.add(kind);
      return kinds.has("refresh") && kinds.has("change");
    },
    { within: 60_000 },
  );
  await fc.assert(
    fc.asyncProperty(script, async ({ which, damage, rubbish, pieces, bye }) => {
      const all = which === "all";
      const hurt = (what: string, bytes: Buffer): Buffer => (all || which === what ? damaged(bytes, damage) : bytes);
      says.clear();
      says
        .set(0, [hurt("bind", bound)])
        .set(1, [hurt("self", self)])
        .set(3, [hurt("subtree", subtree)]);
      const stream = Buffer.concat([
        ...[hurt("content", content), hurt("live", live)],
        ...(rubbish ? [rubbish] : []),
        ...(bye ? [farewell] : []),
      ]);
      const cuts = pieces.map((_, index) => pieces.slice(0, index + 1).reduce((sum, size) => sum + size, 0));
      says.set(
        3,
        [0, ...cuts].map((from, index) => stream.subarray(from, cuts[index])),
      );
      const seen = await heardOf(url);
      for (const change of seen) if (change.kind === "refresh") assert.ok(change.entries.length > 0);
    }),
    { numRuns: runs(60), interruptAfterTimeLimit: runsWithin(4_000), endOnFailure: true },
  );
});

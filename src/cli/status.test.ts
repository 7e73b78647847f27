import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { hostileBodies, mutatedJson, runs, runsWithin } from "../../test/hostile.ts";
import { sayNamesakes } from "../core/directory/namesakes.ts";
import { openStoreFile, storeFile } from "../daemon/store-file.ts";
import { hostStore } from "../host/store/host-store.ts";
import { openDatabase } from "../sqlite/open.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { leadStreams } from "../transcriber/publish/leader.ts";
import { attribution } from "../transcriber/receive/attribution.ts";
import { handleInbound } from "../transcriber/receive/inbound.ts";
import { listener } from "../transcriber/receive/listener.ts";
import { steadyClock } from "../transcriber/tables/steady-clock.ts";
import { main } from "./main.ts";

/** Runs as an ordinary user: root may read files of any mode. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

test("an unreadable state is answered with the users who may read it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-status-"));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const config = { directory: { ldif: "directory.ldif" }, state: "state", hosts: { box: ["event"] } };
  writeFileSync(join(folder, "trigger.config.ts"), `export default ${JSON.stringify(config)};\n`);
  const store = storeFile(join(folder, "state"), "box");
  openDatabase(store).close();
  for (const open of [dirname(dirname(store)), dirname(store)]) chmodSync(open, 0o755);

  for (const closed of [store, dirname(store)]) {
    chmodSync(closed, 0);
    let said = "";
    const write = (text: string): void => {
      said += text;
    };
    const terminal = { folder, colour: false, signal: t.signal, out: write, err: write };
    const code = await asNobody(() => main(["status"], terminal));
    chmodSync(closed, 0o755);
    assert.equal(code, 2, said);
    const who = "cannot be read by this user, only by root or the user that trigger runs as";
    assert.ok(said.startsWith(`trigger status: ${store}: ${who}: `), said);
    assert.equal(said.split("\n").length, 2, said);
  }
});

const now = Date.now();
const mark = { epoch: 5, seq: 3, asOf: { state: ["20261122000000.000000Z#000000#000#000000"], clock: now } };
const table = {
  ...{ code: "1", form: "table", rows: 3, stored: mark, applied: mark, equal: mark, doubt: false, serving: true },
  ...{ pending: 1, why: "waits", failing: false, held: "by a person", conflict: "0badcafe" },
  ...{ refused: [{ key: "k", why: "no", since: now, retained: true }], refusedCount: 1, heldCount: 1 },
  ...{ parked: [{ id: 1, why: "no", since: now }], parkedCount: 1, reloads: ["/etc/x"], ranAt: now },
  ...{ removals: { digest: "abcd", rows: 3 }, untrusted: { count: 3, why: "no key", at: now } },
  verified: { asked: 1, differed: true, daemon: { state: "differs", missing: 3 } },
};
const transcriber = { active: true, epoch: 7, complete: true, trouble: "no way", verified: { asked: 1, differed: 3 } };
const report = { trigger: 1, kind: "report", host: "far", at: now, services: { dhcp: table }, transcriber };
const { held: _, conflict: __, removals: ___, ...late } = table;
const reports = [report, { ...report, services: { dhcp: late, names: late } }];
const state = {
  ...{
    ...transcriber,
    entries: 3,
    troubleSince: now,
    ownEpochs: { far: 9 },
    namesakes: ["roomId=lab,dc=x and roomId=LAB,dc=x may be one name"],
    progress: { what: "reading", done: 1, of: 2 },
  },
  ...{ events: { setAside: { count: 1, newest: { why: "odd", at: now } } } },
  services: { dhcp: { rows: 1, refused: 1, code: "c", behind: true } },
};
/** Texts that steer a terminal or hide themselves, and numbers of which a date cannot be made. */
const steering = fc.constantFrom("\u001b[2J\u009b1m\u202e", "\u2066a\u2069\u00ad", "line\nline", "x".repeat(9_000));
const absurd = fc.constantFrom(1e300, -1e300, 2 ** 53, -1, 0.5);
const leaves = (value: unknown, name = ""): string[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, one]) => leaves(one, Array.isArray(value) ? name : key))
    : [name];
/** One of these with all texts and numbers of one name replaced. */
const withSteering = (seeds: readonly object[]): fc.Arbitrary<object> =>
  fc
    .tuple(fc.constantFrom(...seeds), steering, absurd)
    .chain(([seed, text, number]) =>
      fc.constantFrom(...new Set(leaves(seed))).map((name) => replaced(seed, { name, text, number }) as object),
    );

function replaced(value: unknown, odd: { name: string; text: string; number: number }, name = ""): unknown {
  if (Array.isArray(value)) return value.map((one) => replaced(one, odd, name));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaced(one, odd, key)]));
  }
  if (name !== odd.name || name === "host" || name === "form") return value;
  return typeof value === "string" ? odd.text : typeof value === "number" ? odd.number : value;
}

test("entries that may have one name are named, with nothing invisible", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-status-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = { directory: { ldif: "directory.ldif" }, state: "state", hosts: { box: ["event"] } };
  writeFileSync(join(folder, "trigger.config.ts"), `export default ${JSON.stringify(config)};\n`);
  mkdirSync(join(folder, "services"));
  using database = openStoreFile(join(folder, "state"), "box", now, () => {});
  const names = ["1", "2", "3", "4", "5", "6", "7"].map((n) => [`roomId=l\u00adab${n}`, `roomId=LAB\u00a0${n}`]);
  const { trouble, troubleSince, events, ...well } = { ...state, namesakes: names.map(sayNamesakes) };
  hostStore(database).transcriber.keepState({ ...well, trouble: undefined, troubleSince: undefined });
  const said: string[] = [];
  const out = (text: string) => void said.push(text);
  await main(["status"], { ...{ folder, colour: false, signal: t.signal }, out, err: out });
  assert.match(
    said.join(""),
    /^box: roomId=l\\u00adab1 and roomId=LAB\\u00a01 may be one name, .* \(docs\/ldap\.md\)$/m,
  );
  assert.match(said.join(""), /^box: and 2 more such names$/m);
});

test("any report or store shows each host, and no control sequence", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-status-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const hosts = { box: ["event", "dhcp"], far: ["event", "dhcp", "names"] };
  const config = { directory: { ldif: "directory.ldif" }, state: "state", hosts };
  writeFileSync(join(folder, "trigger.config.ts"), `export default ${JSON.stringify(config)};\n`);
  mkdirSync(join(folder, "services"));
  for (const service of ["dhcp", "names"]) writeFileSync(join(folder, "services", `${service}.ts`), "");
  using database = openStoreFile(join(folder, "state"), "box", now, () => {});
  const inbound = handleInbound({
    ...{
      config: { hosts: new Map(Object.entries(hosts)) },
      tableServices: new Set(["dhcp"]),
      attribution: attribution(),
    },
    publisher: leadStreams({
      ...{ streams: new Map(), open: () => new Map(), clock: virtualClock(now), random: () => 0.5, log() {} },
      writer: { asOf: { state: [], clock: 0 }, busy: false, async tick() {} },
    }),
    ...{
      steady: steadyClock(virtualClock(now), () => {}),
      clock: virtualClock(now),
      wrongSender: () => undefined,
      wrongTranscriber: () => undefined,
    },
    ...{
      onReport: (said) => hostStore(database).transcriber.keepReport({ ...said, heard: now }),
      onOrder() {},
      onAnswer() {},
      log() {},
    },
  });
  const hear = listener(inbound, () => {}, virtualClock(now));

  const reported = withSteering(reports);
  const heard = fc.oneof(
    reported.map((said) => Buffer.from(JSON.stringify(said))),
    hostileBodies(reports),
  );
  const shapeless = fc.constantFrom({ ...state, services: { dhcp: null } }, { ...state, events: { setAside: null } });
  const states = fc.oneof(withSteering([state]), shapeless, mutatedJson([state])).map((value) => JSON.stringify(value));
  const olds = fc.oneof(reported, mutatedJson(reports)).map((value) => JSON.stringify(value));
  const undated = replaced(report, { name: "at", text: "", number: 1e300 });
  const examples: [Buffer[], null, null][] = [[[Buffer.from(JSON.stringify(undated))], null, null]];
  await fc.assert(
    fc.asyncProperty(
      fc.array(heard, { maxLength: 2 }),
      fc.option(states),
      fc.option(olds),
      async (bodies, own, other) => {
        database.exec("DELETE FROM report; DELETE FROM transcriber");
        // Values that an older version may have stored, or a damaged file has.
        if (own) database.prepare("INSERT INTO transcriber VALUES (1, ?)").run(own);
        if (other) database.prepare("INSERT INTO report VALUES ('far', ?)").run(other);
        for (const body of bodies) hear.report({ key: "k", body, redelivered: false, ack() {} });
        for (const words of [[], ["--json"], ["--verbose"]]) {
          const said: string[] = [];
          const wrong: string[] = [];
          const code = await main(["status", ...words], {
            ...{ folder, colour: false, signal: t.signal },
            out: (text) => void said.push(text),
            err: (text) => void wrong.push(text),
          });
          const out = said.join("");
          assert.deepEqual(wrong, []);
          assert.ok(code >= 0 && code <= 2, `${code}`);
          assert.ok(out.includes("box") && out.includes("far"), out);
          assert.doesNotMatch(out.replaceAll("\n", ""), /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
          if (words[0] === "--json") assert.equal(JSON.parse(out).hosts.length, 2);
          else assert.ok(out.split("\n").length < 60 && out.split("\n").every((line) => line.length < 3_000));
        }
      },
    ),
    { numRuns: runs(300), examples, interruptAfterTimeLimit: runsWithin(4_000), endOnFailure: true },
  );
});

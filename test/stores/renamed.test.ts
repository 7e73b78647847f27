import assert from "node:assert/strict";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openStoreFile, storeFile } from "../../src/daemon/store-file.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import { made } from "./expected.ts";
import { copyOf, folders } from "./open.ts";
import { hostName } from "./project.ts";

const mark = { epoch: 5, seq: 3, asOf: { state: [], clock: made } };
/** Texts with the old names in quotation marks: they are no names, and stay. */
const why = 'it has "owed": 5, and "kept":true';
const lists = { refusedCount: 1, parked: [], parkedCount: 0, reloads: [] };
const facts = { code: "1", form: "table", rows: 3, stored: mark, doubt: false, why, failing: false } as const;
const row = { key: "k", why, since: made };
const times = { trigger: 1, kind: "report", host: "far", at: made } as const;

for (const folder of folders.filter((name) => /schema-[12]$/.test(name)))
  test(`${basename(folder)}: a stored report of a host is read with the present names`, (t) => {
    const state = copyOf(t, folder);
    const old = {
      ...{ ...facts, ...lists, loaded: mark, proved: false, owed: 2, inTheWay: "0badcafe" },
      ...{ refused: [{ ...row, kept: true }], strangers: { count: 1, why, at: made } },
      verified: { asked: made, differed: false, daemon: { state: "differs", waits: 4 } },
    };
    const before = new DatabaseSync(storeFile(state, hostName));
    const insert = before.prepare("INSERT INTO report (host, body) VALUES (?, ?)");
    insert.run("far", JSON.stringify({ ...times, services: { dhcp: old, dns: { ...old, proved: true } } }));
    before.close();

    using database = openStoreFile(state, hostName, made, () => {});
    const present = {
      ...{ ...facts, ...lists, applied: mark, pending: 2, conflict: "0badcafe" },
      ...{ refused: [{ ...row, retained: true }], untrusted: { count: 1, why, at: made } },
      verified: { asked: made, differed: false, daemon: { state: "differs", waiting: 4 } },
    };
    const report = hostStore(database)
      .transcriber.reports()
      .find(({ host }) => host === "far");
    assert.deepEqual(report, { ...times, services: { dhcp: present, dns: { ...present, serving: true } } });
  });

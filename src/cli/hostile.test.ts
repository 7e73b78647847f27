import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { mutatedJson, runs } from "../../test/hostile.ts";
import { readConfig } from "../core/config.ts";
import { UserError } from "../core/outcome.ts";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "trigger-words-"));
test.after(() => rmSync(folder, { recursive: true }));

const names = ["up", "status", "diff", "plan", "try", "forecast", "send", "modify", "seed", "verify", "regen"];
const more = [
  "retry",
  "hold",
  "approve",
  "adopt",
  "permissions",
  "key",
  "help",
  "upp",
  "__proto__",
  "constructor",
  "toString",
];
const word = fc.oneof(
  fc.constantFrom(
    ...["--help", "-h", "--json", "--all", "--host", "--project", "-p", "--", "-", "--no-json", "--__proto__", "--dry"],
    ...[
      "--constructor=1",
      "--until",
      "--at-most",
      "1e9",
      "-1",
      "9".repeat(400),
      "\ud800",
      "",
      " ",
      "dhcp",
      "__proto__",
    ],
  ),
  fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replaceAll("/", "")),
);

test("whatever words are typed, the answer is an exit code and short words", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names, ...more), fc.array(word, { maxLength: 5 }), async (name, words) => {
      let said = "";
      const out = (text: string): void => {
        said += text;
      };
      const signal = AbortSignal.timeout(5_000);
      const code = await main([name, ...words], { folder, colour: false, signal, out, err: out });
      assert.ok([0, 64, 2, 1].includes(code), `${code}`);
      assert.ok(code === 0 || said.startsWith("trigger"), said);
      assert.doesNotMatch(said, /\n {4}at /, "the place in a program is of no use here");
    }),
    { numRuns: runs(500), interruptAfterTimeLimit: runs(2_000), endOnFailure: true },
  );
});

const configs = [
  { directory: { ldif: "a.ldif" }, timezone: "Europe/Paris", state: "s", hosts: { a: ["event", "dhcp"], b: ["dhcp"] } },
  {
    broker: {
      url: ["amqps://u@h:1/v"],
      passwordFile: "p",
      ca: "c",
      cert: "c",
      key: "k",
      queues: "quorum",
      heartbeat: 5,
    },
    directory: { url: "ldaps://h", base: "dc=a", bindDn: "cn=b", filter: "(a=b)", attributes: ["cn"], unique: ["uid"] },
    signing: { key: "k", trust: ["t"] },
    waves: { dhcp: { order: [["a"]], within: 5 } },
    removals: { atMost: 3, share: 0.5, of: { dhcp: { atMost: 1 } } },
    hosts: { a: ["event", "dhcp"] },
  },
];

test("whatever a config exports is read, or refused in one line that names the file", () => {
  const odd = fc.oneof(mutatedJson(configs), fc.anything());
  fc.assert(
    fc.property(odd, (value) => {
      try {
        readConfig(value, "trigger.config.ts");
      } catch (error) {
        assert.ok(error instanceof UserError, (error as Error).stack);
        assert.match(error.message, /^trigger\.config\.ts: /);
      }
    }),
    { numRuns: runs(2000), interruptAfterTimeLimit: runs(2_000), endOnFailure: true },
  );
});

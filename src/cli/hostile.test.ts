import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../test/any-text.ts";
import { mutatedJson, runs, runsWithin } from "../../test/hostile.ts";
import { type Ended, makeProject } from "../../test/project.ts";
import { until } from "../../test/until.ts";
import { readConfig } from "../core/config/config.ts";
import { UserError } from "../core/util/errors.ts";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "trigger-words-"));
test.after(() => rmSync(folder, { recursive: true }));

const names = ["up", "check", "status", "diff", "plan", "try", "forecast", "send", "modify", "seed", "verify", "regen"];
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
  anyText({ maxLength: 12 }).map((text) => text.replaceAll("/", "")),
);

test("any command line ends with an exit code and a short answer", async () => {
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
    { numRuns: runs(500), interruptAfterTimeLimit: runsWithin(2_000), endOnFailure: true },
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

test("any export of a config is read, or refused in one line naming it", () => {
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
    { numRuns: runs(2000), interruptAfterTimeLimit: runsWithin(2_000), endOnFailure: true },
  );
});

// A tab stays: it is as wide as a space or more, and files have tabs.
const steers = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|\p{Variation_Selector}/u;

/** A directory of which each name and each refused value is that text; its entries are refused, but for the last. */
function hostileLdif(text: string): string {
  const base64 = (value: string): string => Buffer.from(value.toWellFormed()).toString("base64");
  const escaped = Buffer.from(text.toWellFormed()).toString("hex").replace(/../g, "\\$&");
  const machine = (dn: string, cn: string, ip: string): string =>
    `\ndn:: ${base64(`${dn},dc=campus,dc=example`)}\nobjectClass: device\nobjectClass: ipHost\ncn:: ${base64(cn)}\nipHostNumber:: ${base64(ip)}\n`;
  const top = "dn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n";
  const raw = text.replace(/[",+;<>\\\0#=]/g, "").trim();
  return [top, machine(`cn=a${raw}z`, `a${raw}z`, text), machine(`cn=b${escaped}z`, `b${text}z`, "192.0.2.1")].join("");
}

const isClean = ({ out, err }: Ended): void => {
  assert.doesNotMatch(out + err, steers);
  assert.doesNotMatch(out + err, /^forged/m);
};

test("no command prints a control sequence or a forged line", async (t) => {
  const project = makeProject(t);
  const hidden = fc.constantFrom(
    "\u001b[31m",
    "\u009b2J",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u00ad",
    "\nforged",
    "\r",
    "\u2028",
  );
  const text = fc.array(fc.oneof(hidden, anyText({ maxLength: 3 })), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(text, async (pieces) => {
      const content = hostileLdif(pieces.join(""));
      project.write("directory.ldif", "dn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n");
      project.write("new.ldif", content);
      const plan = await project.trigger(["plan", "new.ldif"], { colour: true });
      const bare = plan.out.replaceAll(/\u001b\[(?:0|3[126])m/g, "");
      isClean({ ...plan, out: bare });
      project.write("directory.ldif", content);
      for (const words of [
        ["try", "names"],
        ["try", "names", "--entry", `cn=${pieces[0]}`],
        ["forecast"],
        ["send", "note", pieces[0] ?? ""],
      ])
        isClean(await project.trigger(words));
      project.write("services/odd.ts", `throw new Error(${JSON.stringify(pieces.join(""))});`);
      isClean(await project.trigger(["try", pieces.join("").replaceAll("/", "") || "odd"]));
    }),
    { numRuns: runs(60), interruptAfterTimeLimit: runsWithin(5_000), endOnFailure: true },
  );
});

test("no log or command prints a control sequence from a refusal's reason", async (t) => {
  const service = `
import { fileURLToPath } from "node:url";
import { files, z } from "trigger";
export default files({
  row: z.object({ name: z.string(), ip: z.string() }),
  pace: 50,
  select(host) {
    if (host.name === "refused") throw new Error(host.one("description"));
    return host.is("ipHost") ? { name: host.one("description"), ip: host.one("ipHostNumber") } : undefined;
  },
  files: (rows, host) => ({
    path: fileURLToPath(new URL(\`../out/\${host.name}/names\`, import.meta.url)),
    text: [...rows].map(({ name, ip }) => \`\${name} \${ip}\\n\`).join(""),
  }),
  check: ["sh", "-c", 'cat "$0" >&2; ! grep -q a "$0"', "{staged}"],
});`;
  const text = Buffer.from("a\u001b[31m\u202e\u200b\u009b\nforged: well").toString("base64");
  const machine = (name: string) =>
    `\ndn: cn=${name},dc=campus,dc=example\nobjectClass: ipHost\ncn: ${name}\ndescription:: ${text}\nipHostNumber: 192.0.2.1\n`;
  const directory = `dn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n${machine("refused")}${machine("given")}`;
  const project = makeProject(t, { files: { "services/names.ts": service, "directory.ldif": directory } });
  const up = project.spawn(["up", "--all"]);
  await until(async () => (await project.trigger(["status", "--json"])).out.includes('"by": "check"'), {
    within: 60_000,
  });
  for (const words of [
    ["status"],
    ["status", "-v"],
    ["status", "--json"],
    ["verify"],
    ["diff", "names"],
    ["diff", "names", "--json"],
  ])
    isClean(await project.trigger(words));
  assert.match((await project.trigger(["status"])).out, /\\u001b\[31m/, "it is shown, escaped");
  const { out, err } = await up.end("SIGTERM");
  isClean({ code: 0, out, err });
});

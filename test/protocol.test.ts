import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { queueMessage } from "../src/brokers/rabbitmq/asks.ts";
import { readEvent } from "../src/core/directory/event.ts";
import { rowLimit } from "../src/core/stream/cells.ts";
import { Digest } from "../src/core/stream/digest.ts";
import {
  askMessage,
  messageLimit,
  partLimit,
  protocolVersion,
  refusalMessage,
  serviceMessage,
} from "../src/core/stream/messages.ts";
import { answerMessage, orderMessage } from "../src/core/stream/order.ts";
import { reportMessage, serviceReportSchema } from "../src/core/stream/report.ts";
import { exchange, queueKeys, queueName, queueOf } from "../src/core/stream/routing.ts";
import { readPublicKey, wrongSignature } from "../src/core/stream/signature.ts";
import { readMessage } from "../src/host/inbox/read-message.ts";

// docs/protocol.md is held to the code: its examples are read, its fields are all of them, and its worked example is computed from the words of the page alone.

const page = readFileSync(join(import.meta.dirname, "../docs/protocol.md"), "utf8");
const examples = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = ""]) => JSON.parse(text));
const hostMessage = z.discriminatedUnion("kind", [
  askMessage,
  refusalMessage,
  reportMessage,
  queueMessage,
  orderMessage,
  answerMessage,
]);
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("each kind of message has an example with exactly its schema's members", () => {
  const kinds = new Set<string>();
  for (const example of examples) {
    if (Array.isArray(example)) {
      readEvent(example);
      kinds.add("event");
    } else if (!("kind" in example)) {
      assert.deepEqual(readMessage(Buffer.from(JSON.stringify(example)), "siren"), { plain: example });
      kinds.add("plain");
    } else {
      const schema = serviceMessage.safeParse(example).success ? serviceMessage : hostMessage;
      assert.deepEqual(schema.parse(example), example);
      kinds.add(example.kind);
    }
  }
  const all = [...serviceMessage.options, ...hostMessage.options].map(({ shape }) => shape.kind.value);
  assert.deepEqual([...kinds].sort(), ["event", "plain", ...all].sort());
});

test("the page names every field of every message", () => {
  const shapes = [...serviceMessage.options, ...hostMessage.options, serviceReportSchema].map(({ shape }) => shape);
  const fields = new Set(shapes.flatMap((shape) => Object.keys(shape)));
  const named = new Set([...page.matchAll(/`([a-zA-Z.]+)`/g)].flatMap(([, name = ""]) => name.split(".")));
  assert.deepEqual(
    [...fields].filter((field) => !named.has(field)),
    [],
  );
});

test("names, limits and the version are those of the code", () => {
  assert.ok(page.includes(`"trigger": ${protocolVersion}`));
  assert.ok(page.includes(`| exchange | \`${exchange}\``));
  assert.ok(page.includes(`\`${queueName("box", "gate")}\``));
  for (const key of queueKeys("box", "gate")) assert.ok(page.includes(`\`${key}\``));
  const uses = {
    table: "a service with a table",
    plain: "a plain service",
    event: "`event`",
    eventTruth: "`event` without a directory",
    report: "`report`",
    control: "`control`",
  };
  for (const [use, said] of Object.entries(uses)) {
    const { messages, bytes, beyond } = queueOf("box", "gate", use as keyof typeof uses).limit;
    const line = page.split("\n").find((text) => text.startsWith(`| ${said} | `)) ?? "";
    assert.ok(line.includes(`${messages.toLocaleString("en")} messages, ${bytes / 2 ** 20} MiB`), line);
    assert.ok(line.includes(beyond === "drop" ? "drops its oldest" : "refuses the newest"), line);
  }
  for (const limit of [rowLimit, messageLimit, partLimit]) assert.ok(page.includes(limit.toLocaleString("en")));
});

test("the worked example of a digest follows the page's own words and the code", () => {
  const rows = [...page.matchAll(/^\| `(cn=.*?)` \| `(\{.*\})` \|$/gm)].map(([, key = "", cell = ""]) => ({
    key,
    cell,
  }));
  const said = (label: string): string[] =>
    [...page.matchAll(new RegExp(`^    ${label} {2,}(.*)$`, "gm"))].map(([, text = ""]) => text);
  assert.equal(rows.length, 2);

  const buckets = new Array<bigint>(1024).fill(0n);
  for (const [index, { key, cell }] of rows.entries()) {
    assert.equal(said(`SHA-256 of ${key}`)[0], sha256(key));
    const keyHash = Number.parseInt(sha256(key).slice(0, 8), 16);
    const bucket = Math.floor(keyHash / 2 ** 22);
    assert.equal(said("key hash, bucket")[index], `${keyHash}, ${bucket}`);
    const bytes = JSON.stringify(["gate", key, cell]);
    assert.equal(said("bytes of the cell hash")[index], bytes);
    assert.equal(said(`cell hash = digest of bucket ${bucket}`)[0], sha256(bytes));
    buckets[bucket] = ((buckets[bucket] ?? 0n) + BigInt(`0x${sha256(bytes)}`)) % 2n ** 256n;
  }
  const rootOf = (count: number, sums: readonly bigint[]): string =>
    sha256(`${count}\n${sums.map((sum) => sum.toString(16).padStart(64, "0")).join("")}`);
  assert.equal(said("root of the two")[0], rootOf(2, buckets));
  assert.equal(said("root of an empty table")[0], rootOf(0, new Array<bigint>(1024).fill(0n)));

  const digest = new Digest("gate");
  assert.equal(digest.root, said("root of an empty table")[0]);
  for (const { key, cell } of rows) digest.change(key, null, cell);
  assert.equal(digest.root, said("root of the two")[0]);
  const example = examples.find(({ kind }) => kind === "digest");
  assert.deepEqual({ root: example.root, count: example.count }, { root: digest.root, count: digest.count });
});

test("the example of a signed message follows the page's own words and the code", () => {
  const [, text = "", name = "", body = ""] =
    page.match(/^ {4}public key +(\S+)\n {4}name +(\S+)\n {4}signed body +(\{.*\})$/m) ?? [];
  assert.equal(createHash("sha256").update(Buffer.from(text, "base64")).digest("hex").slice(0, 16), name);
  const [said, signature] = [body.slice(0, -104), body.slice(-90, -2)];
  assert.ok(said.endsWith(`,"key":"${name}"`) && body.endsWith(`,"signature":"${signature}"}`));
  const der = Buffer.from(`MCowBQYDK2VwAyEA${text}`, "base64");
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  assert.ok(verify(null, Buffer.from(said), key, Buffer.from(signature, "base64")));

  assert.equal(wrongSignature(Buffer.from(body), [readPublicKey(text)]), undefined);
  const { key: _, signature: __, ...message } = JSON.parse(body);
  assert.deepEqual(
    message,
    examples.find(({ kind }) => kind === "digest"),
  );
});

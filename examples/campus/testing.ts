import { everydayMachine, type TestMachine } from "trigger/testing";
import { out } from "./lib/here.ts";

/**
 * The machine on which `trigger test --machine testing.ts` runs the services: it has the folder of the homes, and a
 * postmap that makes a constant database of a text. It is asked for no name: the service reads the database itself.
 */
export default function machine(): TestMachine {
  const made = everydayMachine({ [`${out("mail/homes")}/readme`]: "" });
  made.program("postmap", async ({ arguments: [map = ""] }) => {
    const [type = "", path = ""] = map.split(":");
    const lines = (made.text(path) ?? "").split("\n").filter((line) => /^[^\s#]/.test(line));
    await made.files.write(
      `${path}.${type}`,
      databaseOf(lines.map((line) => line.split(/\s+(.*)/) as [string, string])),
    );
    return {};
  });
  return made;
}

/** A constant database (cdb) with its records, and without the hash tables behind them. */
function databaseOf(records: readonly (readonly [key: string, value: string])[]): Uint8Array {
  const parts = records.flatMap(([key, value]) => {
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(Buffer.byteLength(key), 0);
    lengths.writeUInt32LE(Buffer.byteLength(value), 4);
    return [lengths, Buffer.from(key), Buffer.from(value)];
  });
  const content = Buffer.concat(parts);
  const head = Buffer.alloc(2048);
  for (let at = 0; at < head.length; at += 8) head.writeUInt32LE(head.length + content.length, at);
  return Buffer.concat([head, content]);
}

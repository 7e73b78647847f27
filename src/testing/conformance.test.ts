import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { Hostname, Ip } from "../core/service/columns.ts";
import { service, type TableService } from "../core/service/service.ts";
import { readContent } from "../directories/ldif/content.ts";
import { type Examined, examine } from "./conformance.ts";

const entries = readContent(
  Buffer.from(
    ["a 192.0.2.1", "b 192.0.2.2", "c 192.0.2.3"]
      .map((line) => {
        const [name, ip] = line.split(" ");
        return `dn: cn=${name},dc=example\nobjectClass: ipHost\ncn: ${name}\nipHostNumber: ${ip}\n`;
      })
      .join("\n"),
  ),
  "sample.ldif",
);

const row = z.object({ name: Hostname, ip: Ip });
type Row = z.infer<typeof row>;
type Parts = Partial<Pick<TableService<Row, Row, Row | undefined>, "select" | "run">>;

const select: NonNullable<Parts["select"]> = (machine) => {
  if (!machine.is("ipHost")) return undefined;
  return { name: machine.name, ip: machine.one("ipHostNumber") };
};
const textOf = (rows: Iterable<Row>): string => [...rows].map(({ name, ip }) => `${ip} ${name}\n`).join("");

function made(parts: Parts = {}): Examined {
  return service({
    row,
    unique: ["name", "ip"],
    select,
    async run({ rows }, host) {
      await host.install({ path: "/etc/demo/hosts", text: textOf(rows) });
    },
    ...parts,
  });
}

const broken = async (of: Examined): Promise<string[]> => {
  const verdicts = await Array.fromAsync(examine(of, { entries }));
  return verdicts.filter(({ passed }) => !passed).map(({ name }) => name);
};

test("a service that installs its rows as a file breaks no rule", async () => {
  assert.deepEqual(await broken(made()), []);
});

test("a service that appends is not idempotent", async () => {
  const appends = made({
    async run({ rows, changes }, host) {
      const path = "/etc/demo/hosts";
      await host.files.makeDirectory("/etc/demo");
      const old = new TextDecoder().decode(await host.files.read(path));
      const news = changes ? changes.flatMap(({ after }) => after ?? []) : rows;
      await host.files.write(path, old + textOf(news));
    },
  });
  assert.ok((await broken(appends)).includes("idempotent"));
});

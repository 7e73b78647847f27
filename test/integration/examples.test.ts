import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeCampus } from "../../examples/campus/make.ts";
import { main } from "../../src/cli/main.ts";
import { makeProject } from "../project.ts";

const examples = join(import.meta.dirname, "../../examples");
const tiny = join(examples, "tiny/directory.ldif");

/** Runs `trigger test` and gives its exit code and what it said. */
async function examined(...words: string[]): Promise<{ code: number; said: string }> {
  let said = "";
  const write = (text: string): void => {
    said += text;
  };
  const signal = new AbortController().signal;
  const code = await main(["test", ...words], { folder: examples, colour: false, signal, out: write, err: write });
  return { code, said };
}

for (const service of ["dhcp", "dns", "aliases", "homes"]) {
  test(`the service ${service} of the campus keeps the rules of the kit`, async (t) => {
    const { path } = makeProject(t);
    writeFileSync(path("campus.ldif"), makeCampus(new Date(Date.UTC(2026, 10, 22))));
    const { code, said } = await examined(
      ...[
        service,
        "--project",
        join(examples, "campus"),
        "--directory",
        path("campus.ldif"),
        "--machine",
        "campus/testing.ts",
      ],
    );
    assert.equal(code, 0, said);
    assert.match(said, /^pass {2}converges after a crash at every step$/m);
  });
}

test("the services of the first page and of trigger init keep the rules", async (t) => {
  assert.equal((await examined("--project", join(examples, "tiny"))).code, 0);
  const { path, write } = makeProject(t);
  const people = "dn: uid=alice,dc=example\nobjectClass: account\nuid: alice\npaidUntil: 2099-12-31\n";
  write(
    "sample.ldif",
    `${people}\ndn: cn=pc,dc=example\nobjectClass: ipHost\ncn: pc\nipHostNumber: 192.0.2.1\nowner: uid=alice,dc=example\n`,
  );
  const { code, said } = await examined(
    "--project",
    join(examples, "first-service"),
    "--directory",
    path("sample.ldif"),
  );
  assert.equal(code, 0, said);
  assert.match(said, /^siren on box$/m);
});

test("trigger test exits 1 with a counterexample, and 2 without samples", async (t) => {
  const { folder, write } = makeProject(t, {
    files: {
      "services/names.ts": `import { Ip, service, z } from "trigger";
        export default service({
          row: z.object({ ip: Ip }),
          select: (machine) => (machine.is("ipHost") ? { ip: machine.one("ipHostNumber") } : undefined),
          async run({ rows }, host) {
            if (rows.size > 0) await host.install({ path: "/etc/names", text: [...rows].map(({ ip }) => \`\${ip}\\n\`).join("") });
          },
        });`,
    },
  });
  const broken = await examined("names", "--project", folder, "--directory", tiny, "--seed", "3");
  assert.equal(broken.code, 1);
  assert.match(
    broken.said,
    /^fail {2}safe on an empty table: .+\n {6}at first: all 2 rows\n {6}every row is removed$/m,
  );
  assert.match(broken.said, /the same histories: --seed 3$/m);
  write("empty.ldif", "dn: dc=example\nobjectClass: domain\ndc: example\n");
  const empty = await examined("names", "--project", folder, "--directory", join(folder, "empty.ldif"));
  assert.match(empty.said, /no sample entry gives a row/);
  assert.equal(empty.code, 2);
});

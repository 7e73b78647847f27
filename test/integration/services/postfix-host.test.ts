import { test } from "node:test";
import { makeProject } from "../../project.ts";
import { startPostfix } from "../../servers/postfix.ts";
import { until } from "../../until.ts";

const skip = process.getuid?.() === 0 ? false : "only root can start Postfix";

const person = (uid: string, ...locals: string[]): string =>
  `dn: uid=${uid},dc=campus,dc=example
objectClass: inetOrgPerson
objectClass: posixAccount
uid: ${uid}
cn: ${uid}
sn: ${uid}
uidNumber: 10007
gidNumber: 100
homeDirectory: /home/${uid}
${locals.map((local) => `mail: ${local}@campus.example\n`).join("")}
`;
const base = "dn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n\n";
const board = `dn: cn=board,dc=campus,dc=example
objectClass: nisMailAlias
cn: board@campus.example
rfc822MailMember: alice

`;
const members = base + board + person("alice", "a.l", "info", "dean");

test("Postfix loses a reserved or foreign alias at once, and no other", { skip }, async (t) => {
  await using server = await startPostfix("lmdb");
  const service = (options: object): string => `import { postfix } from "trigger";
export default postfix(${JSON.stringify({ path: server.path, ...options })});\n`;
  const { trigger, write, spawn } = makeProject(t, {
    hosts: { box: ["mail"], civet: ["event"] },
    files: {
      "services/mail.ts": service({ domains: ["campus.example"], reserved: [] }),
      "directory.ldif": members,
    },
  });
  /** Waits until these aliases alone, of four, are known. */
  const knows = (...wanted: string[]): Promise<void> =>
    until(
      async () => {
        const found: string[] = [];
        for (const local of ["a.l", "board", "dean", "info"])
          if ((await server.rcpt(`${local}@campus.example`)).startsWith("250 ")) found.push(local);
        return found.join() === wanted.join();
      },
      { within: 20_000 },
    );
  const says = (why: RegExp): Promise<void> =>
    until(async () => why.test((await trigger(["status"])).out), { within: 20_000 });
  const first = spawn(["up", "--all"]);
  await until(async () => (await trigger(["status"])).code === 0, { within: 20_000 });
  await server.start();
  await knows("a.l", "board", "dean", "info");

  // As by an upgrade that knows the option.
  await first.end("SIGTERM");
  write("services/mail.ts", service({ domains: ["campus.example"] }));
  const second = spawn(["up", "--all"]);
  await knows("a.l", "board", "dean");
  await says(/reserved: mail info@campus\.example: an alias entry/);

  write("directory.ldif", members + person("dean"));
  await says(/mail: dean@campus\.example has the user name of uid=dean/);
  await knows("a.l", "board", "dean");

  await second.end("SIGTERM");
  write("services/mail.ts", service({}));
  spawn(["up", "--all"]);
  await knows("board");
  await says(/domains: mail a\.l@campus\.example is an alias only if its domain is in/);
});

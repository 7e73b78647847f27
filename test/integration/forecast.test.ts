import assert from "node:assert/strict";
import { test } from "node:test";
import { ldif, makeProject, names, printer } from "../project.ts";
import { until } from "../until.ts";

const day = 24 * 60 * 60_000;
const paid = `
import { files, UserName, z } from "trigger";
export default files({
  row: z.object({ user: UserName }),
  unique: ["user"],
  select: (member, directory) =>
    member.has("paidUntil") && directory.during(undefined, member.date("paidUntil")) ? { user: member.one("uid") } : undefined,
  files: (rows) => ({ path: "/nowhere", text: String(rows.size) }),
});
`;
const config = (removals: string) => `import { defineConfig } from "trigger";
export default defineConfig({ directory: { ldif: "directory.ldif" }, removals: ${removals}, hosts: { door: ["paid"], civet: ["event"] } });
`;

/** Members whose subscriptions end after these numbers of days. */
const members = (days: readonly number[]): string =>
  `version: 1\n\ndn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n${days
    .map((days, i) => {
      const until = new Date(Date.now() + days * day).toISOString();
      return `\ndn: uid=m${i},dc=campus,dc=example\nobjectClass: account\nuid: m${i}\npaidUntil: ${until}\n`;
    })
    .join("")}`;

test("the forecast counts removals by time, and shows those that hosts will hold", async (t) => {
  const directory = members([...Array(5).fill(10), 20, 20, 90]);
  const project = (removals: string) =>
    makeProject(t, {
      files: { "trigger.config.ts": config(removals), "services/paid.ts": paid, "directory.ldif": directory },
    });
  const { trigger } = project("{ atMost: 3, share: 0 }");
  const { code, out, err } = await trigger(["forecast"]);
  assert.deepEqual([code, err], [1, ""]);
  const lines = out.trimEnd().split("\n");
  assert.equal(lines.length, 3, out);
  assert.match(lines[1] ?? "", /paid +0 +5 +8 {2}will be held on door: at most 3 are removed in an hour$/);
  assert.match(lines[2] ?? "", /paid +0 +2 +3$/);
  const [first] = JSON.parse((await trigger(["forecast", "15", "--json"])).out);
  assert.deepEqual([first.removed, first.limit, first.hosts], [5, 3, ["door"]]);
  assert.equal((await project("{ atMost: 5 }").trigger(["forecast", "80"])).code, 0);
  const whole = await project("{ atMost: 5 }").trigger(["forecast", "100"]);
  assert.equal(whole.code, 1);
  assert.match(whole.out, /paid +0 +1 +1 {2}will be held on door: no row would be left$/m);
  assert.equal((await project("{ atMost: 5, mayEmpty: true }").trigger(["forecast", "100"])).code, 0);
  assert.equal((await trigger(["forecast", "5"])).out, "time alone changes no row within 5 days\n");
  assert.match((await trigger(["forecast", "soon"])).err, /expected a number of days, found "soon"/);
});

test("an allowance of approve needs a number and a date", async (t) => {
  const { trigger } = makeProject(t);
  const wrong = async (...words: string[]) => (await trigger(["approve", "names", ...words])).err;
  assert.match(await wrong("--until", "2027-01-01"), /belong together/);
  assert.match(
    await wrong("--until", "soon", "--at-most", "5"),
    /^trigger approve: --until: "soon" is not a date: (?!.*"soon")/,
  );
  assert.match(await wrong("--until", "2027-01-01", "--at-most", "many"), /expected a number of rows, found "many"/);
});

test("an allowance permits its number of removals until its date; further ones are held", async (t) => {
  const machines = (count: number) =>
    ldif(Array.from({ length: count }, (_, n) => ({ name: `m${n}`, ip: `192.0.2.${n}` })));
  const project = makeProject(t, {
    files: {
      "trigger.config.ts": `export default { directory: { ldif: "directory.ldif" }, removals: { atMost: 2, share: 0 }, hosts: { box: ["names"], civet: ["event"] } };\n`,
      "directory.ldif": machines(20),
    },
  });
  let up = project.spawn(["up", "--all"]);
  const within = 30_000;
  const has = (count: number) =>
    until(() => project.read("out/box/names")?.split("\n").length === count + 1, { within });
  const status = async () => (await project.trigger(["status"])).out;
  const holds = (rows: number) =>
    until(
      async () => {
        const { hosts } = JSON.parse((await project.trigger(["status", "--json"])).out);
        return hosts[0].services.names?.removals?.rows === rows;
      },
      { within },
    );
  const allow = async (date: string, rows: number): Promise<void> => {
    const before = up.said().length;
    const { code, out, err } = await project.trigger(["approve", "names", "--until", date, "--at-most", `${rows}`]);
    assert.deepEqual([code, err], [0, ""]);
    const taken = `${rows} rows may be removed until ${new Date(date).toISOString()}`;
    assert.equal(out, `box: done: ${taken}\n`);
    await until(() => up.said().slice(before).includes(taken), { within });
  };
  const tomorrow = new Date(Date.now() + day).toISOString();
  await has(20);

  await allow(tomorrow, 6);
  await up.end("SIGKILL"); // what was allowed is on the disk
  up = project.spawn(["up", "--all"]);
  project.write("directory.ldif", machines(14));
  await has(14);
  project.write("directory.ldif", machines(11)); // all that was allowed is used
  await holds(3);
  assert.ok((await status()).includes("3 would be removed, at most 2 an hour"));

  await allow(tomorrow, 3);
  await holds(3);
  await allow(new Date(Date.now() - day).toISOString(), 100);
  project.write("directory.ldif", machines(8)); // what was allowed until yesterday is nothing
  await holds(6);
  const [, digest = ""] = /`trigger approve names ([0-9a-f]{8})`/.exec(await status()) ?? assert.fail(await status());
  assert.equal(project.read("out/box/names")?.split("\n").length, 15);
  assert.equal((await project.trigger(["approve", "names", digest])).code, 0);
  await has(8);
});

test("the last row is removed without approval only where the config permits empty tables", async (t) => {
  const removals = "{ of: { names: { mayEmpty: true } } }";
  const project = makeProject(t, {
    files: {
      "services/others.ts": names().replaceAll("/names", "/others"),
      "trigger.config.ts": `export default { directory: { ldif: "directory.ldif" }, removals: ${removals}, hosts: { box: ["names", "others"], civet: ["event"] } };\n`,
      "directory.ldif": ldif([printer]),
    },
  });
  project.spawn(["up", "--all"]);
  const within = 30_000;
  const has = (file: string, text: string) => until(() => project.read(`out/box/${file}`) === text, { within });
  for (const file of ["names", "others"]) await has(file, "printer 192.0.2.10\n");
  project.write("directory.ldif", ldif([]));
  await has("names", "");
  const held = /box +others .* held: 1 row would be removed /;
  await until(async () => held.test((await project.trigger(["status"])).out), { within });
  await has("others", "printer 192.0.2.10\n");
});

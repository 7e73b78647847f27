import { execFile, spawn } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../until.ts";
import { endProcess } from "./end.ts";

const run = promisify(execFile);

/** A private PostgreSQL on a socket in its folder, without a port; everybody on the machine is its superuser. */
export interface Postgres extends AsyncDisposable {
  readonly folder: string;
  /** As libpq names it. */
  readonly connection: string;
  /** psql itself: what Debian has in the path is a script in front of it, which takes longer than it does. */
  readonly psql: string;
  sql(text: string): Promise<string>;
}

export async function startPostgres(database: string): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-postgres-"));
  // initdb does not run as root.
  const user = process.getuid?.() === 0 ? await userOf("postgres") : undefined;
  if (user) chownSync(folder, user.uid, user.gid);
  const [version = "15"] = readdirSync("/usr/lib/postgresql").sort((a, b) => Number(b) - Number(a));
  const program = (name: string): string => join("/usr/lib/postgresql", version, "bin", name);
  const data = join(folder, "data");
  const connection = `host=${folder} dbname=${database} user=postgres`;
  const sql = async (text: string, to = connection): Promise<string> =>
    (await run(program("psql"), ["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", to, "-c", text])).stdout.trim();

  await run(program("initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"], {
    ...user,
    cwd: folder,
  });
  const settings = ["listen_addresses=", `unix_socket_directories=${folder}`, "fsync=off", "max_connections=20"];
  const server = spawn(program("postgres"), ["-D", data, ...settings.flatMap((one) => ["-c", one])], {
    ...user,
    cwd: folder,
    stdio: "ignore",
  });
  const postgres: Postgres = {
    folder,
    connection,
    psql: program("psql"),
    sql: (text) => sql(text),
    async [Symbol.asyncDispose]() {
      await endProcess(server, "SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    const first = connection.replace(`dbname=${database}`, "dbname=postgres");
    await until(() =>
      sql("SELECT 1", first).then(
        () => true,
        () => false,
      ),
    );
    await sql(`CREATE DATABASE "${database}"`, first);
  } catch (error) {
    await postgres[Symbol.asyncDispose]();
    throw error;
  }
  return postgres;
}

async function userOf(name: string): Promise<{ uid: number; gid: number }> {
  const { stdout } = await run("id", [name]);
  const [, uid, gid] = /^uid=(\d+)\S* gid=(\d+)/.exec(stdout) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

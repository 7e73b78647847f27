import { z } from "zod";
import type { Host, InstallFile, InstallSteps } from "../core/service/host-api.ts";
import { type Checked, type Rows, service, type TableDeclaration, type TableService } from "../core/service/service.ts";
import { declared, type PerHost, readSettings, step, stepsOf } from "./settings.ts";

/** The options of `files` besides the row and its `select`. */
export interface FileSettings<Row> {
  /** The texts of the files: a function of the rows, and of the host if hosts differ. It is also called without rows. */
  readonly files: (rows: Rows<Row>, host: Host) => InstallFile | readonly InstallFile[];
  /** Checks the staged files; `{staged}` is the first, `{staged:PATH}` the one for PATH. */
  readonly check?: InstallSteps["check"] | false;
  /** Makes the daemon read the new files. */
  readonly reload?: InstallSteps["reload"] | false;
  /** Verifies that the daemon serves the new files. */
  readonly probe?: InstallSteps["probe"] | false;
}

const settings = z.strictObject({
  files: z.custom<FileSettings<object>["files"]>(
    (value) => typeof value === "function",
    "is not a function of the rows",
  ),
  check: step.default(false),
  reload: step.default(false),
  probe: step.default(false),
});

/**
 * A service whose files are a function of its rows, applied as one transaction.
 *
 * @example
 * ```ts
 * export default files({
 *   row: z.object({ name: Hostname, ip: Ip }),
 *   unique: ["name"],
 *   select: (host) => (host.is("ipHost") ? { name: host.name, ip: host.one("ipHostNumber") } : undefined),
 *   files: (rows) => ({ path: "/etc/hosts.campus", text: [...rows].map(({ ip, name }) => `${ip} ${name}\n`).join("") }),
 * });
 * ```
 */
export function files<In extends object, Row extends object, const Out extends In | readonly In[] | undefined>(
  options: TableDeclaration<In, Row, Out> &
    FileSettings<NoInfer<Row>> &
    PerHost<FileSettings<NoInfer<Row>>> &
    Checked<In, Row, Out>,
): { readonly table: TableService<In, Row, Out> } {
  const { row, unique, claims, secret, refused, shared, pace, daemon, select, ...given } = options;
  const settingsOf = readSettings("files", settings, given, declared);
  const declaration = { row, unique, claims, secret, refused, shared, pace, daemon, select } as TableDeclaration<
    In,
    Row,
    Out
  >;
  return service<In, Row, Out>({
    ...declaration,
    async run({ rows }, host) {
      const { files, ...steps } = settingsOf(host.name);
      await host.install(files(rows, host), { ...stepsOf(steps), all: true });
    },
  } as Parameters<typeof service<In, Row, Out>>[0]);
}

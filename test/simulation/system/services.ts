import { type Service, service, type Table } from "../../../src/core/service/service.ts";
import { Away, CommandFailed, Fatal, TextDoubted, TextRefused } from "../../../src/core/util/errors.ts";
import { converge } from "../../../src/services/records.ts";
import { addresses, names, type ServiceName, serviceNames } from "./campus.ts";
import { file, textOf } from "./machine.ts";
import { notices, plainService } from "./notices.ts";

/** The services of the world, written as those of a project are. */

export interface ServiceOptions {
  /** The daemon can be asked whether it runs this very text. */
  readonly probes: boolean;
  /** There is a plain service, too. */
  readonly plain?: boolean;
  /** A row that is refused goes. */
  readonly removes?: boolean;
  /** A text that a check refuses is an error like any other: its rows are not told apart. */
  readonly hidesRefusals?: boolean;
  /** A run has failed. */
  readonly failed: (service: ServiceName) => void;
}

export function services(options: ServiceOptions): Map<string, Service> {
  const { probes, plain = false, removes = false, hidesRefusals = false, failed } = options;
  const refused = removes ? ({ refused: "remove" } as const) : {};
  const hosts = service({
    ...names,
    ...refused,
    unique: ["name", "ip"],
    daemon: { unit: "named" },
    async run({ rows }, host) {
      const text = textOf(rows);
      const probe = probes ? { probe: (on: typeof host) => on.ask(["probe"], { input: text }).then(() => {}) } : {};
      await host.install({ path: file, text }, { check: ["check", "{staged}"], reload: ["reload"], ...probe });
    },
  });
  const records = service({
    ...addresses,
    ...refused,
    unique: ["ip"],
    shared: true,
    daemon: { unit: "recordd" },
    async run(run, host) {
      const ask = async (word: "look" | "write", input = ""): Promise<string> => {
        try {
          return (await host.tell(["records", word], { input })).stdout;
        } catch (error) {
          if (error instanceof CommandFailed && error.code === 75) throw new Away(error.message, { cause: error });
          throw error;
        }
      };
      const { result } = await converge<{ ip: string; name: string }, string>(run, host, {
        of: ({ ip, name }) => [[ip, name]],
        async look(asked) {
          const all: [string, string][] = JSON.parse(await ask("look"));
          return new Map(all.filter(([name]) => !asked || asked.has(name)));
        },
        async write(moves) {
          await ask("write", JSON.stringify(moves.map(({ name, after }) => [name, after ?? null])));
          return undefined;
        },
      });
      return result;
    },
  });
  const watched = (name: ServiceName, { table }: { readonly table: unknown }): [string, Service] => {
    const whole = table as Table;
    const run: Table["run"] = async (given, host) => {
      host.log(`is given ${sayGiven(given)}`);
      try {
        return await whole.run(given, host);
      } catch (error) {
        failed(name);
        throw hidesRefusals ? hidden(error) : error;
      }
    };
    return [name, { table: { ...whole, run } }];
  };
  return new Map([
    watched("names", hosts),
    watched("addresses", records),
    ...(plain ? [[plainService, notices] as const] : []),
  ]);
}

function hidden(error: unknown): unknown {
  if (error instanceof TextRefused) return new Fatal(error.message, { cause: error.cause });
  return error instanceof TextDoubted ? new Error(error.message, { cause: error.cause }) : error;
}

function sayGiven({ rows, changes, interrupted }: Parameters<Table["run"]>[0]): string {
  const cut = interrupted ? " after an interruption" : "";
  if (!changes) return `all ${rows.size} rows${cut}`;
  return `${changes.map(({ key, after }) => `${after === undefined ? "-" : "+"}${key}`).join(" ") || "nothing"}${cut}`;
}

/** The run that begins with a line of a host's log; trials change nothing, and say none. */
export function begunRun(line: string): { service: ServiceName; changes: boolean } | undefined {
  const [, name, given = ""] = /^(\w+): is given (.*)$/.exec(line) ?? [];
  const service = serviceNames.find((one) => one === name);
  return service && { service, changes: !/^all | after an interruption$/.test(given) };
}

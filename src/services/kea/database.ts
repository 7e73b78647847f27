import type { Command } from "../../core/service/host-api.ts";
import { canonical } from "../../core/stream/cells.ts";
import { Away, CommandFailed } from "../../core/util/errors.ts";
import { shownMoves } from "../records.ts";
import { acceptedMoves, type PlacedMove, placeMoves } from "./moves.ts";
import { type Content, contents, nameOf } from "./reservation.ts";
import { byConfigSet } from "./set.ts";
import { readHosts, replaceHosts, selectHosts } from "./sql.ts";
import { holders, type Kea, type Way } from "./ways.ts";

/** psql's exit codes (psql(1)): no connection, and a statement that failed. */
const [disconnected, failed] = [2, 3];
/**
 * The deadlines of a question and of a change, in milliseconds; a first generation of a large table takes longer to
 * write.
 */
const deadlines = { ask: 10_000, tell: 60_000 };

/**
 * The way through the PostgreSQL database in which Kea looks for reservations: a committed change is served from the
 * next packet on. Kea looks in its configuration first. Reservations of ours there are removed once the database has
 * them.
 */
export function byDatabase(kea: Kea, database: string, psql: Command): Way {
  const { config, family, by, host } = kea;
  if (!config.databases.includes("postgresql")) {
    throw new Error(
      'Kea looks in no PostgreSQL database: add one to its "hosts-database", or leave out `database` here',
    );
  }
  const command: Command = ["env", "PGCONNECT_TIMEOUT=5", "PGAPPNAME=trigger", ...psql, ...options, database];
  const inConfig = new Set(config.reservations.map(([name]) => name));

  const query = async (word: "ask" | "tell", input: string, shown: readonly string[] = []): Promise<string> => {
    try {
      return (await host[word](command, { input, deadline: deadlines[word], shown })).stdout;
    } catch (error) {
      if (!(error instanceof CommandFailed) || error.code !== disconnected) throw error;
      throw new Away(`PostgreSQL does not answer: ${error.stderr.trim().replace(/^psql: (error: )?/, "")}`);
    }
  };
  const select = async (asked?: Parameters<typeof selectHosts>[2]): Promise<(readonly [string, Content])[]> =>
    readHosts(await query("ask", selectHosts(family, by, asked))).map(
      ({ id, reservation }) => [nameOf(reservation, by), config.contentOf(reservation, id)] as const,
    );

  /**
   * The content of one of our reservations that is still in the configuration. It differs from every row, so it is
   * replaced, and `trigger diff` shows it.
   */
  const inPlace = ([name, content]: readonly [string, Content]): readonly [string, Content] =>
    [name, host.owned.has(name, canonical(content)) ? { ...content, in: "configuration" } : content] as const;

  return {
    keep: async () => {}, // committed changes are durable
    async look(names) {
      const found = names === undefined ? await select() : names.size > 0 ? await select({ names }) : [];
      return contents([...config.reservations.map(inPlace), ...found]);
    },
    async write(moves) {
      const refused = new Map<string, string>();
      const ips = moves.flatMap(({ after }) => after?.ip ?? []);
      const there = ips.length > 0 ? await select({ ips }) : [];
      const placed = placeMoves(moves, kea, holders([...config.reservations, ...there]), refused);
      if (placed.length === 0) return refused;
      try {
        await query("tell", replaceHosts(placed, family, by, { only: "done" }), shownMoves(placed));
      } catch (error) {
        if (!(error instanceof CommandFailed) || error.code !== failed) throw error;
        const attempt = (some: readonly PlacedMove[]) =>
          query("ask", replaceHosts(some, family, by, { only: "tried" }));
        const check = (some: readonly PlacedMove[]): Promise<string | undefined> =>
          attempt(some).then(() => undefined, whyItFailed);
        const good = await acceptedMoves(placed, check, refused);
        if (good.length > 0) await query("tell", replaceHosts(good, family, by, { only: "done" }));
      }
      const former = placed.filter(({ name }) => inConfig.has(name) && !refused.has(name));
      if (former.length > 0) await byConfigSet(kea).write(former.map((move) => ({ ...move, after: undefined })));
      return refused;
    },
  };
}

/** Options of psql: no settings of the user, only the rows on standard output, and exit code 3 at the first error. */
const options = ["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-d"];

function whyItFailed(error: unknown): string {
  if (error instanceof CommandFailed && error.code === failed) return error.message;
  throw error;
}

import { type Move, overtaken } from "../records.ts";
import type { Layout, NameRecords } from "./zone-records.ts";
import type { ZoneServer } from "./zone-server.ts";
import { halves, messagesOf, type UpdateMessage } from "./zone-update.ts";

type ZoneMove = Move<NameRecords>;
type Answers = Map<string, string | typeof overtaken>;

/** The answers that a prerequisite did not hold (RFC 2136, 2.2). */
const notAsExpected = ["YXDOMAIN", "YXRRSET", "NXDOMAIN", "NXRRSET"];

/** Writes moves with as few messages as possible. A refused message is halved until its refused names are found. */
export function zoneWriter(zones: Layout, server: ZoneServer) {
  let dry = false;

  /** Returns the moves that were made, and the reasons against the others by name. */
  async function send(moves: readonly ZoneMove[]): Promise<{ made: readonly ZoneMove[]; answers: Answers }> {
    const made: ZoneMove[] = [];
    const answers: Answers = new Map();
    const open = new Set<string>();
    let messages = zones.zones.flatMap((zone) =>
      messagesOf(
        zone,
        moves.filter(({ name }) => zones.zoneOf(name) === zone),
        zones,
      ),
    );
    while (messages.length > 0) {
      const statuses = await server.update(messages);
      dry = statuses.length === 0;
      if (dry) return { made: moves, answers };
      const next: UpdateMessage[] = [];
      for (const [index, message] of messages.entries()) {
        const status = statuses[index] ?? "";
        if (status === "NOERROR") made.push(...message.moves);
        else {
          const isOvertaken = notAsExpected.includes(status);
          if (!isOvertaken && !open.has(message.zone)) await server.requireOpen(message.zone);
          if (!isOvertaken) open.add(message.zone);
          if (message.moves.length > 1) next.push(...halves(message));
          else
            answers.set(message.moves[0]?.name ?? "", isOvertaken ? overtaken : server.refusal(status, message.zone));
        }
      }
      messages = next;
    }
    return { made, answers };
  }

  /** The name of a move's row: a pointer belongs to the row of its name. */
  const hostOf = ({ name, before, after }: ZoneMove): string => zones.hostOf(name, after ?? before ?? []);

  return {
    /** True if nothing was sent, as a dry machine only notes the messages. */
    dry: () => dry,
    async write(moves: readonly ZoneMove[]): Promise<Answers> {
      const { made, answers } = await send(moves);
      const broken = new Map<string, string | typeof overtaken>();
      for (const move of moves) {
        const why = answers.get(move.name);
        if (why !== undefined) broken.set(hostOf(move), why);
      }
      // A row is written whole: if the server refused some of its records, the others are reverted.
      const back = made.filter((move) => broken.has(hostOf(move)));
      await send(back.map(({ name, before, after }) => ({ name, before: after, after: before })));
      for (const move of back) answers.set(move.name, broken.get(hostOf(move)) ?? overtaken);
      return answers;
    },
  };
}

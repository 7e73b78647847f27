import { type Move, overtaken } from "./records.ts";
import type { Layout, NameRecords } from "./zone-records.ts";
import type { ZoneServer } from "./zone-server.ts";
import { halves, messagesOf, type UpdateMessage } from "./zone-update.ts";

/** The answers that a prerequisite did not hold (RFC 2136, 2.2). */
const notAsBelieved = ["YXDOMAIN", "YXRRSET", "NXDOMAIN", "NXRRSET"];

/** Writes moves with as few messages as can be; a message that is not taken is halved until the names are found for which it was not. */
export function zoneWriter(zones: Layout, server: ZoneServer) {
  let dry = false;

  /** Gives the moves that were made, and why the others were not. */
  async function send(moves: readonly Move<NameRecords>[]) {
    const made: Move<NameRecords>[] = [];
    const answers = new Map<string, string | typeof overtaken>();
    let messages: UpdateMessage[] = zones.zones.flatMap((zone) => {
      const inside = moves.filter(({ name }) => zones.zoneOf(name) === zone);
      return messagesOf(zone, inside, zones);
    });
    const open = new Set<string>();
    while (messages.length > 0) {
      const statuses = await server.update(messages);
      dry = statuses.length === 0;
      if (dry) return { made: moves, answers };
      const next: UpdateMessage[] = [];
      for (const [index, message] of messages.entries()) {
        const { zone, moves } = message;
        const status = statuses[index] ?? "";
        const [first] = moves;
        if (status === "REFUSED" && !open.has(zone)) await server.requireOpen(zone);
        open.add(zone);
        if (status === "NOERROR") made.push(...moves);
        else if (moves.length > 1) next.push(...halves(message));
        else if (first)
          answers.set(first.name, notAsBelieved.includes(status) ? overtaken : server.refusal(status, zone));
      }
      messages = next;
    }
    return { made, answers };
  }

  return {
    /** Nothing was sent: the machine only notes what would be. */
    dry: () => dry,
    async write(moves: readonly Move<NameRecords>[]) {
      const { made, answers } = await send(moves);
      // The pointer of a name that was not taken goes back to what it was, and the name of a pointer: a row goes in whole.
      const hostOf = ({ name, before, after }: Move<NameRecords>): string => zones.hostOf(name, after ?? before ?? []);
      const broken = new Map(
        moves.flatMap((move) => {
          const why = answers.get(move.name);
          return why === undefined ? [] : [[hostOf(move), why] as const];
        }),
      );
      const back = made.filter((move) => broken.has(hostOf(move)));
      if (back.length > 0) await send(back.map(({ name, before, after }) => ({ name, before: after, after: before })));
      for (const move of back) answers.set(move.name, broken.get(hostOf(move)) ?? overtaken);
      return answers;
    },
  };
}

import type { Move } from "../records.ts";
import { type Layout, type NameRecords, parts } from "./zone-records.ts";

/** Dynamic updates (RFC 2136) in the language of nsupdate. */

/** One message. The server carries it out as a whole, or not at all. */
export interface UpdateMessage {
  readonly zone: string;
  readonly moves: readonly Move<NameRecords>[];
}

/** The most names of a message, and its most bytes, of the 65,535 that TCP allows. */
const namesPerMessage = 500;
const bytesPerMessage = 50_000;

/** The messages of moves that are all in one zone. */
export function messagesOf(zone: string, moves: readonly Move<NameRecords>[], layout: Layout): UpdateMessage[] {
  const messages: Move<NameRecords>[][] = [];
  let room = 0;
  for (const move of moves) {
    // A line is one record. In the message its fixed fields take 10 bytes, and the zone's part of its name is a pointer.
    const bytes = linesOf(move, layout).reduce((sum, line) => sum + line.length - zone.length, 0);
    const last = messages.at(-1);
    if (last && last.length < namesPerMessage && bytes <= room) last.push(move);
    else {
      messages.push([move]);
      room = bytesPerMessage;
    }
    room -= bytes;
  }
  return messages.map((moves) => ({ zone, moves }));
}

/** The two halves of a message that was not carried out. */
export function halves({ zone, moves }: UpdateMessage): UpdateMessage[] {
  const middle = Math.ceil(moves.length / 2);
  return [moves.slice(0, middle), moves.slice(middle)].map((moves) => ({ zone, moves }));
}

/** The input of nsupdate: each message is sent, and its answer printed. */
export function updateText(messages: readonly UpdateMessage[], layout: Layout): string {
  return messages
    .flatMap(({ zone, moves }) => [
      `zone ${zone}.`,
      ...moves.flatMap((move) => linesOf(move, layout)),
      "send",
      "answer",
    ])
    .map((line) => `${line}\n`)
    .join("");
}

/**
 * A move as lines. The prerequisites are that the name has exactly the expected records, of the service's own types.
 * After them come the record sets that differ, whole. A prerequisite has no time to live.
 */
function linesOf({ name, before = [], after = [] }: Move<NameRecords>, layout: Layout): string[] {
  const owner = `${name}.`;
  const lines: string[] = [];
  const ofType = (records: NameRecords, type: string) => records.map(parts).filter((record) => record[1] === type);
  for (const type of layout.typesAt(name)) {
    const had = ofType(before, type);
    if (had.length === 0) lines.push(`prereq nxrrset ${owner} ${type}`);
    for (const [, , data] of had) lines.push(`prereq yxrrset ${owner} ${type} ${dataText(type, data)}`);
  }
  for (const type of layout.typesAt(name)) {
    const [had, has] = [ofType(before, type), ofType(after, type)];
    if (had.join("\n") !== has.join("\n") && had.length > 0) lines.push(`update delete ${owner} ${type}`);
  }
  for (const type of layout.typesAt(name)) {
    const [had, has] = [ofType(before, type), ofType(after, type)];
    if (had.join("\n") === has.join("\n")) continue;
    for (const [ttl, , data] of has) lines.push(`update add ${owner} ${ttl} ${type} ${dataText(type, data)}`);
  }
  return lines;
}

const dataText = (type: string, data: string): string => (type === "A" || type === "AAAA" ? data : `${data}.`);

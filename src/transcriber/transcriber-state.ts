import type { TableState, TranscriberState } from "../core/stream/transcriber-state.ts";
import type { UnfinishedEntry } from "../core/stream/unfinished-line.ts";
import type { EventDirectory } from "../ports/directory.ts";
import type { NamesakeLog } from "./namesake-log.ts";
import type { Publisher } from "./publish/publisher.ts";
import type { DirectoryReader } from "./receive/directory-reader.ts";
import type { EventIntake } from "./receive/event-intake.ts";
import type { Transcription } from "./tables/transcription.ts";

/** The parts of a transcriber from which its state is read. */
export interface StateSources {
  readonly publisher: Publisher;
  readonly reader: Pick<DirectoryReader, "complete" | "trouble" | "verified">;
  readonly namesakes: Pick<NamesakeLog, "reported">;
  readonly tables: Pick<Transcription, "size" | "table" | "refusedCount" | "unfinished">;
  readonly codes: ReadonlyMap<string, string>;
  readonly events?: { readonly store: Pick<EventDirectory, "aside">; readonly intake: EventIntake } | undefined;
}

export function transcriberState({
  publisher,
  reader,
  tables,
  namesakes,
  codes,
  events,
}: StateSources): TranscriberState {
  const { active, epoch, progress, divergent, streams } = publisher;
  const { complete, verified, trouble } = reader;
  return {
    ...{ active, epoch, complete },
    ...(progress && { progress }),
    ...(verified && { verified }),
    ...(divergent.size > 0 && { ownEpochs: Object.fromEntries(divergent) }),
    trouble: trouble?.why,
    troubleSince: trouble?.since,
    entries: tables.size,
    ...(namesakes.reported.length > 0 && { namesakes: namesakes.reported }),
    ...(events && { events: { setAside: events.store.aside(), trouble: events.intake.trouble } }),
    services: Object.fromEntries(
      [...streams].map(([service, { behind, blockedQueues }]) => {
        const refused = tables.refusedCount(service);
        const rows = tables.table(service).size - refused;
        const code = codes.get(service) ?? "";
        const refusing = blockedQueues.length > 0 && { refusing: blockedQueues };
        return [service, { rows, refused, code, behind, ...refusing, ...unfinishedOf(tables.unfinished(service)) }];
      }),
    ),
  };
}

/** The most entries of a service that are named. */
const named = 10;

const unfinishedOf = (entries: readonly UnfinishedEntry[]): Pick<TableState, "unfinished"> =>
  entries.length === 0 ? {} : { unfinished: { count: entries.length, first: entries.slice(0, named) } };

import { BerWriter } from "ldapts";
import { BerReader, boolean, enumerated, octetString, sequence, set } from "../../core/util/ber.ts";

/** The controls and messages of content synchronization (RFC 4533). */

export const syncRequestOid = "1.3.6.1.4.1.4203.1.9.1.1";
export const syncStateOid = "1.3.6.1.4.1.4203.1.9.1.2";
export const syncInfoOid = "1.3.6.1.4.1.4203.1.9.1.4";

/** The mode of a search: the content once, or the content and then every change. */
export type SyncMode = "refreshOnly" | "refreshAndPersist";

/** The value of a Sync Request control without a cookie, which requests the whole content. */
export function syncRequest(mode: SyncMode): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeEnumeration(mode === "refreshOnly" ? 1 : 3);
  writer.endSequence();
  return writer.buffer;
}

const states = ["present", "add", "modify", "delete"] as const;

/** The server's control about one entry. */
export interface SyncState {
  readonly state: (typeof states)[number];
  /** The entryUUID, in lower case. */
  readonly uuid: string;
  readonly cookie: string | undefined;
}

export function readSyncState(value: Buffer): SyncState {
  const reader = new BerReader(value).inside(sequence, "a sync state");
  const number = reader.integer("a sync state", enumerated);
  const state = states[number];
  if (!state) throw new Error(`the server speaks no RFC 4533: it says sync state ${number}`);
  return { state, uuid: uuidOf(reader.bytes(octetString, "an entryUUID")), cookie: optionalCookie(reader) };
}

/** The server's message about the synchronization itself. */
export interface SyncInfo {
  readonly cookie: string | undefined;
  /** True if the refresh is complete: changes follow. */
  readonly refreshDone: boolean;
  /** The entries that it names without their content: removed ones if `gone`, otherwise unchanged ones. */
  readonly uuids: readonly string[];
  readonly gone: boolean;
}

export function readSyncInfo(value: Buffer): SyncInfo {
  const reader = new BerReader(value);
  const nothing = { refreshDone: false, uuids: [], gone: false };
  switch (reader.tag) {
    case 0x80:
      return { ...nothing, cookie: reader.text("a cookie", 0x80) };
    case 0xa1: // refreshDelete
    case 0xa2: {
      const phase = reader.inside(reader.tag, "a phase");
      return { ...nothing, cookie: optionalCookie(phase), refreshDone: optionalBoolean(phase, true) };
    }
    case 0xa3: {
      const list = reader.inside(0xa3, "a list of entries");
      const cookie = optionalCookie(list);
      const gone = optionalBoolean(list, false);
      const uuids: string[] = [];
      for (const each = list.inside(set, "a list of entries"); each.more; ) {
        uuids.push(uuidOf(each.bytes(octetString, "an entryUUID")));
      }
      return { cookie, refreshDone: false, uuids, gone };
    }
    default:
      throw new Error(`the server speaks no RFC 4533: a sync info message with tag ${reader.tag}`);
  }
}

/** The CSNs in a cookie of OpenLDAP (`rid=001,sid=001,csn=A;B`): one for each server. */
export function csnsOf(cookie: string | undefined): string[] {
  const text = /(?:^|,)csn=([^,]*)/.exec(cookie ?? "")?.[1] ?? "";
  return text.split(";").filter((csn) => csnPattern.test(csn));
}

const csnPattern = /^\d{14}\.\d{6}Z#[0-9a-f]{6}#[0-9a-f]{3}#[0-9a-f]{6}$/i;

const optionalCookie = (reader: BerReader): string | undefined =>
  reader.tag === octetString ? reader.text("a cookie") : undefined;

const optionalBoolean = (reader: BerReader, otherwise: boolean): boolean =>
  reader.tag === boolean ? reader.boolean("a phase") : otherwise;

function uuidOf(bytes: Buffer): string {
  if (bytes.length !== 16) throw new Error(`the server speaks no RFC 4533: an entryUUID of ${bytes.length} bytes`);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

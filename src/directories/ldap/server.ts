import type { Attributes } from "../../core/directory/entry.ts";
import type { Connection } from "./connection.ts";
import { entryReader } from "./entry.ts";
import type { MessageReader } from "./message-reader.ts";
import { search } from "./requests.ts";
import { ResultError } from "./result.ts";
import { syncRequestOid } from "./sync-controls.ts";

/** A server as its root DSE describes it (RFC 4512, 5.1). A reader without access to the root DSE gets defaults. */
export interface Server {
  /** The product of the server, for people; undefined if unknown. */
  readonly product: string | undefined;
  readonly openLdap: boolean;
  /** The filter that matches every entry; undefined for the empty "and" of RFC 4526. */
  readonly everything: string | undefined;
  /** The DN of the entry with its schema. */
  readonly subschema: string;
}

/**
 * The remedy for a server other than OpenLDAP that lacks a feature that a reader needs. Without pages a search may end
 * at 1,000 entries, and its file looks whole.
 */
export const exportInstead =
  "trigger follows OpenLDAP only. Write the content of another server to a file " +
  "(ldapsearch -x -LLL -E pr=500/noprompt … >new && mv new FILE), and name that file in directory.ldif";

const wanted = [
  ...["supportedControl", "supportedFeatures", "supportedCapabilities", "objectClass", "vendorName", "vendorVersion"],
  "subschemaSubentry",
];
const trueFalseFilters = "1.3.6.1.4.1.4203.1.5.3"; // RFC 4526
const activeDirectory = "1.2.840.113556.1.4.800";

/**
 * Reads the root DSE of a server. Refuses a server without content synchronization (RFC 4533), which may never answer a
 * request for it.
 */
export async function askServer(connection: Connection, messages: MessageReader, base: string): Promise<Server> {
  const dse = await rootDse(connection, messages);
  const texts = (name: string): string[] => (dse.get(name) ?? []).filter((value) => typeof value === "string");
  const controls = texts("supportedcontrol");
  const openLdap = texts("objectclass").includes("OpenLDAProotDSE");
  const product = productOf(texts, openLdap);
  if (controls.length > 0 && !controls.includes(syncRequestOid)) {
    throw new Error(
      `${product ?? "the server"} does not offer content synchronization (RFC 4533, control ${syncRequestOid}): ${remedyFor(product, base)}`,
    );
  }
  const knowsAnd = controls.length === 0 || openLdap || texts("supportedfeatures").includes(trueFalseFilters);
  const [subschema = "cn=Subschema"] = texts("subschemasubentry");
  return { product, openLdap, subschema, everything: knowsAnd ? undefined : "(objectClass=*)" };
}

async function rootDse(connection: Connection, messages: MessageReader): Promise<Attributes> {
  const request = search({
    ...{ base: "", scope: "base", filter: "(objectClass=*)" },
    attributes: wanted,
  });
  try {
    const { entries } = await messages.answersTo(connection.send(request));
    const [entry] = entries;
    return entry ? entryReader()(entry.body).attributes : new Map();
  } catch (error) {
    if (error instanceof ResultError) return new Map();
    throw error;
  }
}

function productOf(texts: (name: string) => string[], openLdap: boolean): string | undefined {
  if (openLdap) return "OpenLDAP";
  const named = [...texts("vendorname"), ...texts("vendorversion")].join(" ");
  if (named !== "") return named.replace(/[^\x20-\x7e]+/g, " ").slice(0, 100);
  return texts("supportedcapabilities").includes(activeDirectory) ? "Active Directory" : undefined;
}

function remedyFor(product: string | undefined, base: string): string {
  if (product === "OpenLDAP")
    return `slapd needs "moduleload syncprov", and "overlay syncprov" in the database of ${base}`;
  return exportInstead;
}

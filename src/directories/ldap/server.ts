import type { Attributes } from "../../core/directory/entry.ts";
import type { Connection } from "./connection.ts";
import { entryReader } from "./entry.ts";
import type { Inbox } from "./inbox.ts";
import { search } from "./requests.ts";
import { ResultError } from "./result.ts";
import { syncRequestOid } from "./sync-controls.ts";

/** A server as its root DSE describes it (RFC 4512, 5.1). A reader who may not see the root DSE learns nothing, and goes on. */
export interface Server {
  /** Its product, for people; undefined where it does not say. */
  readonly product: string | undefined;
  readonly openLdap: boolean;
  /** The filter that is true of every entry; undefined for the empty "and" of RFC 4526. */
  readonly everything: string | undefined;
  /** The entry that holds its schema. */
  readonly subschema: string;
}

/** The remedy where another server than OpenLDAP lacks what a reader needs. Without pages a search may end at 1,000 entries, and its file looks whole. */
export const exportInstead =
  "trigger follows OpenLDAP; of another server write its content to a file " +
  "(ldapsearch -x -LLL -E pr=500/noprompt … >new && mv new FILE), and name that in directory.ldif";

const wanted = [
  ...["supportedControl", "supportedFeatures", "supportedCapabilities", "objectClass", "vendorName", "vendorVersion"],
  "subschemaSubentry",
];
const trueFalseFilters = "1.3.6.1.4.1.4203.1.5.3"; // RFC 4526
const activeDirectory = "1.2.840.113556.1.4.800";

/** Asks a server what it is. Refuses a server without content synchronization (RFC 4533): its answer to a request for it may never come. */
export async function askServer(connection: Connection, inbox: Inbox, base: string): Promise<Server> {
  const dse = await rootDse(connection, inbox);
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

async function rootDse(connection: Connection, inbox: Inbox): Promise<Attributes> {
  const request = search({
    ...{ base: "", scope: "base", filter: "(objectClass=*)" },
    attributes: wanted,
  });
  try {
    const { entries } = await inbox.answersTo(connection.send(request));
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

import type { DnsRecord } from "./zone-records.ts";

/** Readers of the output of dig and nsupdate. */

export interface Answer {
  /** The status: NOERROR, NXDOMAIN, REFUSED… (RFC 1035, 4.1.1; RFC 2136, 2.2). */
  readonly status: string;
  /** The error for a key that is not accepted: BADKEY, BADSIG or BADTIME (RFC 8945, 5.2). */
  readonly key: string | undefined;
  /** The name or zone in question, without the final dot. */
  readonly name: string;
  readonly records: readonly DnsRecord[];
}

/** The answers in the order in which they came: of dig with `+comments +question +answer +additional`, of nsupdate with `answer`. */
export function readAnswers(text: string): Answer[] {
  const answers: { status: string; key: string | undefined; name: string; records: DnsRecord[] }[] = [];
  let section = "";
  for (const line of text.split("\n")) {
    const status = /^;; ->>HEADER<<- opcode: \w+, status: (\w+)/.exec(line)?.[1];
    if (status) answers.push({ status, key: undefined, name: "", records: [] });
    const answer = answers.at(-1);
    if (!answer || line === "") continue;
    section = /^;; (\w+) (PSEUDO)?SECTION:/.exec(line)?.[1] ?? section;
    if (section === "TSIG" && !line.startsWith(";")) answer.key = /\b(BADKEY|BADSIG|BADTIME)\b/.exec(line)?.[1];
    const asked = /^;(\S+)\.\s+IN\s/.exec(line)?.[1];
    if ((section === "QUESTION" || section === "ZONE") && asked) answer.name = asked.toLowerCase();
    const record = line.startsWith(";") || section === "ADDITIONAL" ? undefined : readRecord(line);
    if (record) answer.records.push(record);
  }
  return answers;
}

function readRecord(line: string): DnsRecord | undefined {
  const [, name, ttl, type, data] = /^(\S+)\s+(\d+)\s+IN\s+(\S+)\s+(.+)$/.exec(line) ?? [];
  if (name === undefined || type === undefined || data === undefined) return undefined;
  return { name: name.toLowerCase().replace(/\.$/, ""), ttl: Number(ttl), type, data };
}

/** The serial of a zone among the records of an answer. */
export function serialOf(records: readonly DnsRecord[], zone: string): number | undefined {
  const start = records.find(({ name, type }) => type === "SOA" && name === zone);
  return start && Number(start.data.split(/\s+/)[2]);
}

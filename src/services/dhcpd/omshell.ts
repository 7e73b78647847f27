import type { Host } from "../../core/service/host-api.ts";
import { Away, CommandFailed } from "../../core/util/errors.ts";
import { readKey, type SharedKey } from "../key-file.ts";
import type { DeclaredHost } from "./host-declarations.ts";
import { notInstalled } from "./installed.ts";

/** One question or command for dhcpd over OMAPI. Values are clean columns: they need no escape. */
export type Call =
  | { readonly do: "look"; readonly mac: string }
  | { readonly do: "remove"; readonly mac: string; readonly name: string }
  | { readonly do: "look up"; readonly name: string }
  | ({ readonly do: "move" | "create" } & DeclaredHost);

export interface Answer {
  /** The object, if it was asked for and exists. */
  readonly found: DeclaredHost | undefined;
  /** The error of dhcpd. */
  readonly wrong: string | undefined;
}

export interface OmapiPlace {
  readonly server: string;
  readonly port: number;
  readonly keyFile: string;
  readonly command: readonly [string, ...string[]];
}

/**
 * The most calls of one omshell. On a slow disk each takes 10 ms and more, and the output of a command is limited to a
 * megabyte.
 */
const atOnce = 200;
/** A call that changes nothing: dhcpd checks the key with the first call. */
const idle: Call = { do: "look", mac: "00:00:00:00:00:00" };
const deadlineOf = (calls: number): number => 5000 + 50 * calls;

/** Sends calls to dhcpd in order. On a dry machine they have no answers. Throws `Away` if dhcpd does not answer. */
export async function omshell(
  host: Host,
  place: OmapiPlace,
  calls: readonly Call[],
  { changes }: { readonly changes: boolean },
): Promise<(Answer | undefined)[]> {
  const text = await host.files.read(place.keyFile);
  // Without the file no key is sent, and dhcpd reports that it requires one.
  const key = text && readKey(new TextDecoder().decode(text), place.keyFile);
  const answers: (Answer | undefined)[] = [];
  for (let at = 0; at === 0 || at < calls.length; at += atOnce) {
    answers.push(...(await session(host, place, key, calls.slice(at, at + atOnce), changes)));
  }
  return answers;
}

async function session(
  host: Host,
  place: OmapiPlace,
  key: SharedKey | undefined,
  calls: readonly Call[],
  changes: boolean,
): Promise<(Answer | undefined)[]> {
  const { stdout, stderr } = await run(
    host,
    place,
    omshellInput(place, key, [idle, ...calls]),
    changes ? calls : undefined,
  );
  if (stdout === "") return calls.map(() => undefined);
  const [first, ...answers] = readAnswers(stdout);
  const cut = !first || answers.length < calls.length;
  if (cut || [first, ...answers].some(({ wrong = "" }) => /connection|no key/.test(wrong))) {
    throw await faultOf(host, place, key, `${stdout}\n${stderr}`);
  }
  return answers;
}

/** Runs omshell: with `calls`, the input makes changes; without, it only reads. */
async function run(host: Host, { command, server, port }: OmapiPlace, input: string, calls?: readonly Call[]) {
  const options = { input, deadline: deadlineOf(input.split("\nnew host").length) };
  const shown = calls
    ?.filter((call) => !call.do.startsWith("look"))
    .map(({ do: word, ...what }) => `${word} ${JSON.stringify(what)}`);
  try {
    return await (shown ? host.tell(command, { ...options, shown }) : host.ask(command, options));
  } catch (error) {
    host.signal.throwIfAborted();
    if (error instanceof CommandFailed && error.code === 127) throw new Away(notInstalled, { cause: error });
    if (error instanceof CommandFailed) throw error;
    throw new Away(`dhcpd does not answer on ${server} port ${port}`, { cause: error });
  }
}

async function faultOf(host: Host, place: OmapiPlace, key: SharedKey | undefined, said: string): Promise<Error> {
  const where = `${place.server} port ${place.port}`;
  if (/no key specified/.test(said)) return new Error(`dhcpd requires a key, and ${place.keyFile} does not exist`);
  if (/dhcpctl_connect: not found/.test(said))
    return new Error(`dhcpd does not know the key ${key?.name} of ${place.keyFile}`);
  if (key === undefined || /dhcpctl_connect/.test(said)) return new Away(`dhcpd does not answer on ${where}`);
  // A wrong secret ends the connection, and so does the end of dhcpd. A call without the key then tells them apart.
  const { stdout } = await run(host, place, omshellInput(place, undefined, [idle]));
  if (/no key specified/.test(stdout))
    return new Error(`dhcpd refuses the secret of the key ${key.name} in ${place.keyFile}`);
  return new Away(`dhcpd on ${where} ended the connection`);
}

/** The input of omshell(1) for some calls. The algorithm precedes the key, as omshell reads the key with it. */
export function omshellInput({ server, port }: OmapiPlace, key: SharedKey | undefined, calls: readonly Call[]): string {
  const keyLines = key ? [`key-algorithm ${key.algorithm}`, `key ${key.name} ${key.secret}`] : [];
  const lines = [`server ${server}`, `port ${port}`, ...keyLines, "connect"];
  for (const call of calls) lines.push("new host", ...linesOf(call), "close");
  return `${lines.join("\n")}\n`;
}

function linesOf(call: Call): string[] {
  if (call.do === "look up") return [`set name = "${call.name}"`, "open"];
  const ethernet = [`set hardware-address = ${call.mac}`, "set hardware-type = 1"];
  if (call.do === "look") return [...ethernet, "open"];
  // With both, dhcpd finds no host that has only one of them.
  const both = [`set name = "${call.name}"`, ...ethernet];
  if (call.do === "remove") return [...both, "open", "remove"];
  const address = `set ip-address = ${call.ip}`;
  if (call.do === "move") return [...both, "open", address, "update"];
  return [...both, address, `set statements = "option host-name \\"${call.name}\\";"`, "create"];
}

/** Reads the output of omshell. Each call ends with the empty object, twice if it removed one. */
function readAnswers(stdout: string): Answer[] {
  const [, ...parts] = stdout.split("obj: <null>\n");
  parts.pop();
  return parts.filter((part) => !/^> not open\.$/m.test(part)).map(answerOf);
}

function answerOf(part: string): Answer {
  const wrong = /^> can't [a-z]+ object: (.+)$/m.exec(part)?.[1];
  // Every command shows the whole object: the last one shows the result.
  const shown = part.slice(part.lastIndexOf("obj: host"));
  const value = (name: string): string | undefined => new RegExp(`^${name} = "?(.*?)"?$`, "m").exec(shown)?.[1];
  const [name, mac = "", ip = ""] = [value("name"), value("hardware-address"), value("ip-address")];
  const found = wrong === undefined && name !== undefined ? { mac, ip: addresses(ip), name } : undefined;
  return { found, wrong };
}

/** `0a:4d:00:0b` and so on, four octets for each address. */
function addresses(hex: string): string {
  const octets = hex === "" ? [] : hex.split(":").map((octet) => Number.parseInt(octet, 16));
  const each = Array.from({ length: octets.length / 4 }, (_, at) => octets.slice(at * 4, at * 4 + 4).join("."));
  return each.join(", ");
}

import { knownHost } from "../core/config/config.ts";
import { UserError } from "../core/util/errors.ts";
import { type AuditEntry, auditOrders } from "../operations/audit.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";
import { table } from "./table.ts";

/** The number of orders that are listed without --last. */
const usually = "20";

/** Lists the orders of persons, with the answers of the hosts. */
export const audit: Command = {
  name: "audit",
  summary: "who gave which order, when, and what the hosts answered",
  operands: ["[SERVICE]"],
  options: {
    ...projectOption,
    host: { type: "string", value: "HOST", help: "orders to this host alone" },
    last: { type: "string", value: "N", help: `the newest N, one for each host (${usually})` },
    json: { type: "boolean", help: "as JSON" },
  },
  more: `It reads the stores of the hosts on this machine. A transcriber's store has the orders to all hosts, and the answers that
the transcriber has heard; another host's store has its own. For each host and user of the broker the newest thousand are
kept. A person is named as the machine on which he typed says it; the user of the broker is named where the broker vouches
for it. \`socket\` is an order on the host itself, which needs no broker.

Exit codes
  0  listed
  2  a store cannot be read`,
  async run({ operands: [service], text, flag }, { folder, lines, json, signal }) {
    const project = await openProject(text("project") ?? folder);
    const host = text("host");
    if (host !== undefined) knownHost(project.config, host, project.configFile);
    const limit = text("last") ?? usually;
    if (!/^[1-9]\d{0,5}$/.test(limit)) throw new UserError(`--last: expected a number, found ${JSON.stringify(limit)}`);
    const entries = await auditOrders(project, { service, host, limit: Number(limit) }, signal);
    if (flag("json")) json(entries.map(asJson));
    else if (entries.length === 0) lines(["no order is known here"]);
    else lines(table([heading, ...entries.map(cells)]));
    return 0;
  },
};

const heading = ["given", "by", "host", "service", "order", "answer"];

function cells({ order, host, user, way, outcome }: AuditEntry): string[] {
  const by = way === "socket" ? `${order.by} (socket)` : user === undefined ? order.by : `${order.by} (${user})`;
  const answer = outcome ? `${outcome.done ? "done" : "refused"}: ${outcome.text}` : "none";
  return [new Date(order.at).toISOString(), by, host, order.service, sayOrder(order), answer];
}

function sayOrder({ order, name, digest, number, why, allow, remove }: AuditEntry["order"]): string {
  const words = [
    order,
    name,
    digest,
    number === undefined ? undefined : `${number}`,
    why === undefined ? undefined : JSON.stringify(why),
    allow && `--at-most ${allow.rows} --until ${new Date(allow.until).toISOString()}`,
    remove ? "--remove" : undefined,
  ];
  return words.filter((word) => word !== undefined).join(" ");
}

const asJson = ({ order, host, user, way, at, outcome, answered }: AuditEntry) => {
  const { trigger: _, kind: __, hosts: ___, ...asked } = order;
  return { host, ...asked, user, way, heard: at, outcome, answered };
};

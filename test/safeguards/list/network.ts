import type { Removal } from "../removal.ts";

/** Safeguards against an attacker on the network between two machines. */
export const networkRemovals: readonly Removal[] = [
  {
    id: "broker-clear",
    guards: "a broker of another machine in the clear needs insecure: true",
    without: "an attacker on the way reads and writes every message",
    file: "src/core/config/broker-config.ts",
    edits: [['  if (protocol !== "amqps:") {', '  if (protocol === "") {']],
    tests: ["src/core/config/broker-config.test.ts"],
  },
  {
    id: "broker-anonymous",
    guards: "a broker of another machine without a user needs insecure: true",
    without: "a forgotten user becomes guest",
    file: "src/core/config/broker-config.ts",
    edits: [['  if (username !== "") return undefined;', "  if (insecure !== true) return undefined;"]],
    tests: ["src/core/config/broker-config.test.ts"],
  },
  {
    id: "directory-clear",
    guards: "a directory of another machine in the clear needs insecure: true",
    without: "an attacker on the way writes the configuration of every host",
    file: "src/core/config/directory-config.ts",
    edits: [["  if (isClear && !startTls) {", "  if (isClear && !startTls && reader.passwordFile) {"]],
    tests: ["src/core/config/directory-config.test.ts"],
  },
  {
    id: "directory-anonymous",
    guards: "an anonymous reader of another machine needs insecure: true",
    without: "a forgotten reader sees what all may see, and rows go",
    file: "src/core/config/directory-config.ts",
    edits: [
      [
        "  if (reader.bindDn !== undefined || reader.cert !== undefined) return undefined;",
        "  if (!isClear || startTls) return undefined;",
      ],
    ],
    tests: ["src/core/config/directory-config.test.ts"],
  },
  {
    id: "loopback-name",
    guards: "a name that begins like a loopback address is another machine's",
    without: "127.0.0.1.example gets the password in the clear",
    file: "src/core/config/this-machine.ts",
    edits: [["(\\.\\d{1,3}){3}|", "\\..*|"]],
    tests: ["src/core/config/broker-config.test.ts", "src/core/config/directory-config.test.ts"],
  },
  {
    id: "certificate-common-name",
    guards: "a name counts only as a subject alternative name",
    without: "a certificate for a person of that name is a server's",
    file: "src/core/util/without-common-name.ts",
    edits: [[', CN: "" }', " }"]],
    tests: ["src/directories/ldap/certificate.test.ts", "src/brokers/rabbitmq/certificate.test.ts"],
  },
  {
    id: "broker-certificate-name",
    guards: "RabbitMQ's certificate bears the name of the server",
    without: "any holder of a certificate of the authority hears the password",
    file: "src/brokers/rabbitmq/connection.ts",
    edits: [["checkServerIdentity: checkName", "checkServerIdentity: () => undefined"]],
    tests: ["src/brokers/rabbitmq/certificate.test.ts"],
  },
  {
    id: "endless-answer",
    guards: "an answer about the server ends at a limit",
    without: "an endless answer fills the memory of the transcriber",
    file: "src/directories/ldap/message-reader.ts",
    edits: [["if (bytes > most) throw", "if (bytes < 0) throw"]],
    tests: ["src/directories/ldap/endless.test.ts"],
  },
  {
    id: "endless-refresh",
    guards: "a refresh of nothing but answers to other questions ends at the limit",
    without: "an endless refresh is never named",
    file: "src/directories/ldap/refresh.ts",
    edits: [["    bytes += message.size; //", "    if (message.id === id) bytes += message.size; //"]],
    tests: ["src/directories/ldap/endless.test.ts"],
  },
];

import { hostname } from "node:os";
import { defineConfig } from "trigger";

const machine = hostname().split(".")[0];

export default defineConfig({
  broker: {
    url: `amqps://trigger-${machine}@mq.campus.example`,
    passwordFile: "own/broker.password",
    ca: "own/ca.pem",
    cert: "own/machine.pem",
    key: "own/machine.key",
  },
  directory: {
    url: "ldaps://ldap.campus.example",
    base: "dc=campus,dc=example",
    bindDn: "cn=trigger,dc=campus,dc=example",
    passwordFile: "own/ldap.password",
    ca: "own/ca.pem",
  },
  state: "/var/lib/trigger",
  timezone: "Europe/Paris",
  hosts: { civet: ["event"], dhcp1: ["dhcp"], ns1: ["dns"] },
});

import { defineConfig } from "trigger";

export default defineConfig({
  directory: {
    url: "ldaps://ldap.campus.example",
    base: "dc=campus,dc=example",
    bindDn: "cn=trigger,dc=campus,dc=example",
    passwordFile: "ldap.password",
    ca: "campus-ca.pem",
  },
  timezone: "Europe/Paris",
  hosts: { dhcp1: ["dhcp"], civet: ["event"] },
});

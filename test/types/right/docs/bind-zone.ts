import { bindZone } from "trigger";

export default bindZone({
  zone: "campus.example",
  reverse: ["10.0.0.0/16", "2001:db8:1::/48"],
  ns: ["ns1.campus.example", "ns2.elsewhere.example"],
  records: ["ns1 A 10.0.0.2", "@ MX 10 mail", "mail A 10.0.0.3"],
  probe: { server: "127.0.0.1" },
});

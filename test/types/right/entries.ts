import { kea } from "trigger";

export default kea({
  entries: {
    base: "ou=machines,dc=campus,dc=example",
    filter: "(!(status=retired))",
    classes: { ieee802Device: "campusMachine" },
    attributes: { macAddress: "campusMac", ipHostNumber: "campusIp" },
  },
});

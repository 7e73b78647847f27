import { kea } from "trigger";

export default kea({ claims: { base: ["ou=servers,dc=campus,dc=example", "ou=network,dc=campus,dc=example"] } });

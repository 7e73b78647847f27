import { kea } from "trigger";

export default kea();

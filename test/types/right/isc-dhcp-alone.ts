import { iscDhcp } from "trigger";

export default iscDhcp();

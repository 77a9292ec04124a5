/** The heartbeat of the bus: processes what is due. pg_cron calls it. */

import { createTick } from "../_shared/symphony/edge.ts";
import * as project from "../_messages/mod.ts";

export default createTick(project);

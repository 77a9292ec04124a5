/** The way in over HTTPS: messages and schedules, and what became of a message. */

import { createDispatch } from "../_shared/symphony/edge.ts";
import * as project from "../_messages/mod.ts";

export default createDispatch(project);

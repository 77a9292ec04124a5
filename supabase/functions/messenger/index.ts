/** The management API: what operators read and change, over HTTPS. */

import { createManagement } from "../_shared/symphony/edge.ts";
import * as project from "../_messages/mod.ts";

export default createManagement(project);

/** The management API: what operators read and change, over HTTPS. */

import { createAdminClient } from "@supabase/server/core";
import { messages } from "../_messages/mod.ts";
import { createMessenger } from "../_shared/symphony/index.ts";
import { createApp } from "../_shared/symphony/http/app.ts";
import { createManagement } from "../_shared/symphony/management/index.ts";

const supabase = createAdminClient();
const { bus, config, log } = createMessenger({ supabase, messages });
const app = createApp("messenger", { maxBodyBytes: config.maxBodyBytes, log });
app.route("/", createManagement({ supabase, bus, log }, config));

export default { fetch: app.fetch };

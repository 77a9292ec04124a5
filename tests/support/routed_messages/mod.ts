/** Mails at home and messages of two transports, one of which is away, for the console's pages and their pictures. */

import { z } from "zod";
import {
  defineMessage,
  type ProjectConfig,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import type { Engine } from "../../../supabase/functions/_shared/symphony/transport/engine.ts";
import { messages as mails } from "../mail_messages/mod.ts";
import { received, recorded } from "../recorded_engine.ts";

/** A line of an audit, for the broker. */
export const AuditMessage = defineMessage({
  type: "AuditMessage",
  schema: z.looseObject({ action: z.string() }),
  queue: "audit",
  handler: () => {},
});

/** A row of an import, which another project handles. */
export const ImportRow = defineMessage({
  type: "ImportRow",
  schema: z.looseObject({ row: z.number() }),
  transport: "eu",
});

const away = () => Promise.reject(new Error("connect ECONNREFUSED 203.0.113.9:5672"));

const broker: Engine = { ...received(), publish: away, declare: away, check: away };

/** The messages of the stack. */
export const messages = [...mails, AuditMessage, ImportRow];

/** The broker cannot be reached; the other project takes all. */
export const config: ProjectConfig = {
  transports: {
    events: broker,
    eu: recorded(),
  },
  routing: { "Audit*": "events" },
};

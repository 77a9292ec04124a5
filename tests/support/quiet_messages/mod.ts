/** A message of any size, whose handler does nothing. */

import { z } from "zod";
import {
  defineMessage,
  type MessageDefinition,
} from "../../../supabase/functions/_shared/symphony/index.ts";

export { schedules } from "./schedules.ts";

const Quiet = defineMessage({ type: "Quiet", schema: z.unknown(), handler: () => {} });

export const messages: MessageDefinition[] = [Quiet];

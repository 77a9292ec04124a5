/** This project, as its functions import it. A message is known once it stands here. */

import { EmailMessage } from "./email.ts";
import { WebhookMessage } from "./webhook.ts";

export { config } from "./config.ts";
export { schedules } from "./schedules.ts";

/** Every message definition of this project. */
export const messages = [EmailMessage, WebhookMessage];

/** The messages of this project. A message is known once it stands here. */

import { EmailMessage } from "./email.ts";
import { WebhookMessage } from "./webhook.ts";

/** Every message definition of this project. */
export const messages = [EmailMessage, WebhookMessage];

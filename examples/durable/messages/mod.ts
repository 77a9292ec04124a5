/** The messages of the examples, as `_messages/mod.ts` has those of a project. */

import { SendMail } from "./mail.ts";
import { PayOrder } from "./payment.ts";

/** Every message definition of the examples. */
export const messages = [PayOrder, SendMail];

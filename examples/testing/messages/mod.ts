/** The messages of the example, as `_messages/mod.ts` has those of a project. */

import { SendMail } from "./mail.ts";
import { SignUp } from "./sign_up.ts";

export { schedules } from "./schedules.ts";

/** Every message definition of the example. */
export const messages = [SignUp, SendMail];

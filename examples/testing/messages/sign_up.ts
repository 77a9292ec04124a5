/** A sign-up, which makes a mail. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { SendMail } from "./mail.ts";

/** Welcomes a new user by mail. */
export const SignUp = defineMessage({
  type: "SignUp",
  schema: z.object({ email: z.email() }),
  handler: async ({ email }, { dispatch }) => {
    await dispatch(SendMail, { to: email, template: "welcome" });
  },
});

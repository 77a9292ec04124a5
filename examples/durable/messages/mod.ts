/** The messages of the examples, as `_messages/mod.ts` has those of a project. */

import { Approved, ApproveExpense } from "./expense.ts";
import { ImportFinished, ImportRow } from "./import.ts";
import { SendMail } from "./mail.ts";
import { Onboard } from "./onboarding.ts";
import { PayOrder, UndoOrder } from "./payment.ts";

/** Every message definition of the examples. */
export const messages = [
  ApproveExpense,
  ImportFinished,
  ImportRow,
  Onboard,
  PayOrder,
  SendMail,
  UndoOrder,
];

/** Every declared event of the examples. */
export const events = [Approved];

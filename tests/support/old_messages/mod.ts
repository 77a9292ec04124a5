/** The messages of the tests in a version before: there is no type Note yet. */

import { messages as latest } from "../messages/mod.ts";

export { schedules } from "./schedules.ts";

/** Every message of that version. */
export const messages = latest.filter(({ type }) => type !== "Note");

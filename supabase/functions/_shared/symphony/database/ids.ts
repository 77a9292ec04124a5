/** Ids as the database writes them. */

/** No other text is an id, so that each message and schedule has one text only. */
const ID = /^(?:0|[1-9]\d{0,17})$/;

/** Tells whether a text may be the id of a message or schedule. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** The code of the page that the mails link to: it posts the token when a person clicks. */

const EVENTS_URL = "https://project.supabase.co/functions/v1/dispatch/events";

/**
 * Emits the event of the token in the page's fragment, once. Programs that look into mails open the link, and so the
 * page must call this at a click, never when it opens:
 *
 * ```ts
 * approve.onclick = () => answer(location.href, { ok: true });
 * ```
 *
 * @param href address of the page
 * @param value value of the event
 * @param send does the request
 * @returns `used` if the link was used before, `expired` if its time is over
 * @throws Error for other refusals
 */
export async function answer(
  href: string,
  value?: unknown,
  send: (request: Request) => Promise<Response> = fetch,
): Promise<"done" | "used" | "expired"> {
  const token = new URL(href).hash.slice(1);
  const { status } = await send(
    new Request(EVENTS_URL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token, value }),
    }),
  );
  if (status === 202) return "done";
  if (status === 409) return "used";
  if (status === 410) return "expired";
  throw new Error(`the answer was refused with status ${status}`);
}

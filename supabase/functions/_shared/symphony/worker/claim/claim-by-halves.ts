/** A claim without outcomes to settle beside it, which becomes smaller where the database cannot serve it. */

import type { Claim, ClaimRequest } from "../../transport/receiver.ts";
import {
  type CallDependencies,
  isOfItsContent,
  isTooMuch,
  LONGEST_PAUSE_MS,
  pause,
  repeating,
} from "../calls.ts";

/**
 * Claims. If the database cannot give what was asked for, asks for half as many messages, and at last for
 * one message without its payload: that message is then handed out as crashed, and holds up no other.
 * @returns null if the database cannot give even that, and others wait for this call to end
 * @throws TransportError if the database stayed out of reach for as long as repeating was worth it
 */
export async function claimByHalves(
  request: ClaimRequest,
  deps: CallDependencies,
): Promise<Claim | null> {
  const { transport, log } = deps;
  let { maxMessages, unread = false } = request;
  for (;;) {
    try {
      const { answer } = await repeating((repeated) =>
        transport.claim({
          ...request,
          maxMessages,
          ...(unread && { unread }),
          repeated: repeated || request.repeated === true,
        }), deps);
      return unread && answer.crashed.length === 0 ? { ...answer, left: true } : answer;
    } catch (error) {
      if (!isOfItsContent(error)) throw error;
      log.warn("claim_split", { maxMessages, error: String(error) });
      if (maxMessages > 1) maxMessages = Math.floor(maxMessages / 2);
      else if (!unread && !isTooMuch(error)) unread = true;
      else if (deps.isAwaited?.()) return null;
      else if (deps.keepTrying()) await pause(LONGEST_PAUSE_MS);
      else throw error;
    }
  }
}

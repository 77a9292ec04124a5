/** Messages of a server that a test makes up, and the client that follows them. */

import {
  createMessengerClient,
  type FollowedMessage,
  type MessengerClient,
  type MessengerClientOptions,
} from "../../client/mod.ts";
import { type FakeRequest, type FakeSupabase, fakeSupabase, refusal } from "./fake_supabase.ts";

/** The state of a message that waits, unless a part of it says otherwise. */
export function state(id: string, part: Partial<FollowedMessage> = {}): FollowedMessage {
  return {
    ...{ kind: "message", id, type: "Note", status: "pending", cancelling: false, reason: null },
    ...{ attempt: 0, createdAt: "2026-11-24T10:00:00Z", availableAt: "2026-11-24T10:00:00Z" },
    ...{ finishedAt: null, progress: null },
    ...part,
  };
}

/** A server with messages, and a client. */
export interface Followed extends FakeSupabase {
  readonly messenger: MessengerClient;
  /** The messages by id, each with its user. */
  readonly stored: Map<string, { state: FollowedMessage; user: string | null | false }>;
  /** Stores a message of the user who is signed in, or a state of it. */
  put(id: string, part?: Partial<FollowedMessage>): void;
  /** The next requests fail so; status 0: no answer. Undefined: they succeed. */
  failure: { status: number; body?: unknown; headers?: Record<string, string> } | undefined;
  /** The ids of each request for states. */
  readonly looks: () => string[][];
}

/** Makes a server of messages, with a user signed in unless another is given. */
export function followed(
  options: MessengerClientOptions = {},
  user: string | null | false = "ann",
): Followed {
  const stored: Followed["stored"] = new Map();
  let current = user;
  let nextId = 100;
  const fake = fakeSupabase((request) => {
    if (followed.failure) throw refusal(followed.failure);
    if (request.name === "dispatch") {
      const id = String(nextId++);
      followed.put(id, { type: (request.body as { type: string }).type });
      return { ids: [id] };
    }
    if (current === null) throw refusal({ status: 401, body: { code: "unauthorized" } });
    const ids = idsOf(request);
    const known = ids.filter((id) => stored.get(id)?.user === current);
    return {
      messages: known.map((id) => stored.get(id)?.state),
      missing: ids.filter((id) => !known.includes(id)),
    };
  }, user);
  const followed: Followed = {
    ...fake,
    ...{ stored, failure: undefined },
    messenger: createMessengerClient(fake.supabase, { live: false, ...options }),
    put: (id, part) =>
      void stored.set(id, {
        state: { ...stored.get(id)?.state ?? state(id), ...part },
        user: current,
      }),
    looks: () => fake.requests.filter(({ name }) => name === "dispatch/status").map(idsOf),
    signIn(next) {
      current = next;
      fake.signIn(next);
    },
  };
  return followed;
}

const idsOf = ({ body }: FakeRequest) => (body as { ids: string[] }).ids;

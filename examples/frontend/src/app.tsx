/** The page: the sign-in for those who are signed out, the dashboard for all others. */

import { type ReactNode, useState } from "react";
import { Dashboard } from "./dashboard.tsx";
import { SignIn } from "./sign-in.tsx";
import { useSession } from "./use-session.ts";

/** The whole page. */
export function App(): ReactNode {
  const session = useSession();
  const [wasSignedIn, setWasSignedIn] = useState(false);
  if (session && !wasSignedIn) setWasSignedIn(true);
  if (session === undefined) return null;
  if (session === null) return <SignIn wasSignedIn={wasSignedIn} />;
  // A user's state ends with their session: another one begins with a page of their own.
  return <Dashboard key={session.user.id} email={session.user.email ?? "anonymous"} />;
}

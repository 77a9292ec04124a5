/** The way in: sign in, or make an account. */

import { type FormEvent, type ReactNode, useState } from "react";
import { Header } from "./header.tsx";
import { supabase } from "./project.ts";

/** The page of those who are signed out. */
export function SignIn({ wasSignedIn }: { readonly wasSignedIn: boolean }): ReactNode {
  const [problem, setProblem] = useState("");
  const [isPending, setPending] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget, submitter(event));
    const credentials = {
      email: String(fields.get("email")),
      password: String(fields.get("password")),
    };
    setPending(true);
    const { error } = fields.get("as") === "new"
      ? await supabase.auth.signUp(credentials)
      : await supabase.auth.signInWithPassword(credentials);
    setPending(false);
    setProblem(error ? error.message : "");
  }

  return (
    <div className="page">
      <Header connection="signed_out" />
      <main className="welcome">
        <div className="intro">
          <h1>{wasSignedIn ? "See you soon" : "Welcome"}</h1>
          <p>
            {wasSignedIn
              ? "You are signed out. Your jobs continue without you, and are here when you return."
              : "Sign in to start jobs that run in the background, and to follow them."}
          </p>
        </div>
        <form className="panel" onSubmit={submit} aria-busy={isPending}>
          <div className="field">
            <label htmlFor="email">E-mail</label>
            <input
              id="email"
              className="input"
              name="email"
              type="email"
              autoComplete="username"
              required
              autoFocus
            />
          </div>
          <div className="field">
            <label htmlFor="password">Password</label>
            <input
              id="password"
              className="input"
              name="password"
              type="password"
              autoComplete="current-password"
              required
              aria-describedby="sign-in-problem"
            />
          </div>
          <p id="sign-in-problem" className="problem" role="alert">{problem}</p>
          <div className="buttons">
            <button type="submit" className="button primary">Sign in</button>
            <button type="submit" className="button plain" name="as" value="new">
              Make an account
            </button>
          </div>
        </form>
      </main>
    </div>
  );
}

/** The button that sent a form. */
function submitter({ nativeEvent }: FormEvent): HTMLElement | null {
  return (nativeEvent as SubmitEvent).submitter;
}

/** The form of those who operate from a static host, over the page, which keeps what was typed. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useAction } from "../api/use-action.ts";
import { Button, Field } from "../components/controls.tsx";
import { Dialog } from "../components/dialog.tsx";
import { ProblemNote } from "../components/problem-note.tsx";
import { useSession } from "./session.tsx";

/** Shown as long as the API refuses the credentials. */
export function SignIn(): JSX.Element | null {
  const { needsSignIn, settings } = useSession();
  if (!needsSignIn) return null;
  return settings.mode === "hosted" ? <SignInForm project={settings.url} /> : <Ended />;
}

function SignInForm({ project }: { readonly project: string }): JSX.Element {
  const { signIn } = useSession();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const action = useAction(signIn);
  return (
    <Dialog title="Sign in" onClose={null}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void action.run(email, password);
        }}
      >
        <p class="muted">
          Operators of <span class="mono">{new URL(project).host}</span>{" "}
          sign in with their account of this project.
        </p>
        <Field label="E-mail">
          {(id) => (
            <input
              id={id}
              type="email"
              autocomplete="username"
              required
              value={email}
              onInput={(event) => setEmail(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label="Password">
          {(id) => (
            <input
              id={id}
              type="password"
              autocomplete="current-password"
              required
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          )}
        </Field>
        {action.error && <ProblemNote problem={action.error} />}
        <div class="dialog-actions">
          <Button type="submit" tone="primary" isBusy={action.isRunning}>Sign in</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The command was started again, with another token. */
function Ended(): JSX.Element {
  return (
    <Dialog title="This page has ended" onClose={null}>
      <p>
        The command <code>console</code>{" "}
        that served it has ended, or was started again. Open the address that it prints now.
      </p>
    </Dialog>
  );
}

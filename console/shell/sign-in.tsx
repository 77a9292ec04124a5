/** The form of those who operate from a static host, over the page, which keeps what was typed. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useAction } from "../api/use-action.ts";
import { hasDrafts } from "../api/draft.ts";
import { ChangeButton } from "../components/change-button.tsx";
import { Button, Field } from "../components/controls.tsx";
import { Dialog } from "../components/dialog.tsx";
import { ProblemNote } from "../components/problem-note.tsx";
import { useSession } from "./session.tsx";

/** Shown as long as the API refuses the credentials. */
export function SignIn(): JSX.Element | null {
  const { needsSignIn, settings } = useSession();
  if (!needsSignIn) return null;
  return settings.mode === "hosted"
    ? <SignInForm project={settings.url} ways={settings.signIn} />
    : <Ended />;
}

interface FormProps {
  readonly project: string;
  readonly ways: readonly string[];
}

function SignInForm({ project, ways }: FormProps): JSX.Element {
  const providers = ways.filter((way) => way !== "password" && way !== "magic_link");
  return (
    <Dialog title="Sign in" onClose={null}>
      <p class="muted">
        Operators of <span class="mono">{new URL(project).host}</span>{" "}
        sign in with their account of this project.
      </p>
      {providers.map((provider) => <ProviderButton key={provider} provider={provider} />)}
      {ways.includes("password") && <PasswordForm hasLink={ways.includes("magic_link")} />}
      {!ways.includes("password") && ways.includes("magic_link") && <LinkForm />}
    </Dialog>
  );
}

function EmailField(
  { value, onInput }: { readonly value: string; readonly onInput: (value: string) => void },
): JSX.Element {
  return (
    <Field label="E-mail">
      {(id) => (
        <input
          id={id}
          type="email"
          autocomplete="username"
          required
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function PasswordForm({ hasLink }: { readonly hasLink: boolean }): JSX.Element {
  const { signIn } = useSession();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const action = useAction(signIn);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void action.run(email, password);
      }}
    >
      <EmailField value={email} onInput={setEmail} />
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
        {hasLink && <LinkButton email={email} />}
        <Button type="submit" tone="primary" isBusy={action.isRunning}>Sign in</Button>
      </div>
    </form>
  );
}

function LinkForm(): JSX.Element {
  const [email, setEmail] = useState("");
  return (
    <form class="form" onSubmit={(event) => event.preventDefault()}>
      <EmailField value={email} onInput={setEmail} />
      <div class="dialog-actions">
        <LinkButton email={email} />
      </div>
    </form>
  );
}

/** The link may be opened in any tab of this browser: all of them are signed in then. */
function LinkButton({ email }: { readonly email: string }): JSX.Element {
  const { authentication } = useSession();
  const change = async () => {
    await authentication?.sendLink(email);
    return `A link is on its way to ${email}: open it in this browser`;
  };
  return <ChangeButton label="Send me a link" change={change}>Send me a link</ChangeButton>;
}

/** With something typed on the page, the provider's page comes in another tab. */
function ProviderButton({ provider }: { readonly provider: string }): JSX.Element {
  const { authentication } = useSession();
  const action = useAction(async () => {
    await authentication?.leaveFor(provider, hasDrafts());
  });
  return (
    <>
      <Button isBusy={action.isRunning} onClick={() => void action.run()}>
        Sign in with {provider}
      </Button>
      {action.error && <ProblemNote problem={action.error} />}
    </>
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

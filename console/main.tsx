/** Starts the console: reads how it was put up, and renders it. */

import { type JSX, render } from "preact";
import { ProblemNote } from "./components/problem-note.tsx";
import { toProblem } from "./api/api-problem.ts";
import { connectAuth } from "./shell/authentication.ts";
import { Layout } from "./shell/layout.tsx";
import { takeToken } from "./shell/local-token.ts";
import { SessionProvider, useStart } from "./shell/session.tsx";
import { loadSettings } from "./shell/load-settings.ts";
import { startTheme } from "./shell/theme.ts";

async function start() {
  let hasFailed = false;
  // A page that works keeps what was typed, and asks with the next token from now on.
  await takeToken(() => hasFailed && location.reload());
  try {
    const settings = await loadSettings();
    const authentication = settings.mode === "hosted" ? await connectAuth(settings) : null;
    return { settings, authentication };
  } catch (error) {
    hasFailed = true;
    throw error;
  }
}

function App(): JSX.Element | null {
  const started = useStart(start);
  if (started === null) return null;
  if (started instanceof Error) {
    return (
      <main class="page page-alone">
        <h1>Symphony Messenger</h1>
        <ProblemNote problem={toProblem(started)} />
      </main>
    );
  }
  return (
    <SessionProvider {...started}>
      <Layout />
    </SessionProvider>
  );
}

const root = document.querySelector("#root");
if (!root) throw new Error("index.html has no #root");
startTheme();
render(<App />, root);

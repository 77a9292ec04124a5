/** Mounts the page. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { MessengerProvider } from "symphony-messenger/react";
import { App } from "./app.tsx";
import { messenger } from "./project.ts";

const root = document.querySelector("#root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MessengerProvider client={messenger}>
      <App />
    </MessengerProvider>
  </StrictMode>,
);

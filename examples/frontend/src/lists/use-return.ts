/** Tells when the user returns to the tab. */

import { useEffect } from "react";

/** Calls a stable function when the tab becomes visible again. */
export function useReturn(onReturn: () => unknown): void {
  useEffect(() => {
    const listen = () => {
      if (document.visibilityState === "visible") onReturn();
    };
    document.addEventListener("visibilitychange", listen);
    return () => document.removeEventListener("visibilitychange", listen);
  }, [onReturn]);
}

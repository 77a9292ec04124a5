/** Signs, drawn in the colour of their text. They are decoration: a word stands beside each. */

import type { ReactNode } from "react";

const PATHS = {
  clock: <path d="M8 4.5V8l2.3 1.6M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z" />,
  turn: <path d="M14 8a6 6 0 1 1-6-6" />,
  again: <path d="M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.8v2.7h-2.7" />,
  check: <path d="m3.2 8.6 3.1 3.1 6.5-7" />,
  cross: <path d="m4 4 8 8m0-8-8 8" />,
  stop: <path d="M3.8 12.2 12.2 3.8M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z" />,
  report: <path d="M4 1.8h5.5l3 3v9.4H4V1.8Zm5.3 0v3.2h3.2M6 8h4.4M6 10.7h4.4" />,
  calendar: <path d="M2.3 3.5h11.4v10.2H2.3V3.5Zm0 3.3h11.4M5.3 1.8v3m5.4-3v3" />,
  video: <path d="M1.8 4h8.4v8H1.8V4Zm8.4 2.9 4-2.2v6.6l-4-2.2" />,
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon of the size of text, or of `size` px. */
export function Icon(
  { name, size = 14 }: { readonly name: IconName; readonly size?: number },
): ReactNode {
  return (
    <svg
      className={name === "turn" ? "turning" : undefined}
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={size > 16 ? 1.3 : 1.9}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {PATHS[name]}
    </svg>
  );
}

/** The mark of the page: voices of an orchestra. */
export function Mark(): ReactNode {
  return (
    <svg aria-hidden="true" width="26" height="26" viewBox="0 0 26 26" fill="currentColor">
      <rect x="2" y="10" width="4" height="9" rx="2" />
      <rect x="8" y="4" width="4" height="19" rx="2" />
      <rect x="14" y="8" width="4" height="13" rx="2" />
      <rect x="20" y="11" width="4" height="6" rx="2" />
    </svg>
  );
}

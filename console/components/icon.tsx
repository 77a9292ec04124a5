/** Icons, drawn as paths of one stroke on a ground of 16. */

import type { JSX } from "preact";

const PATHS = {
  overview: "M2 9.5 5.5 6l3 3L14 3.5M2 13.5h12",
  messages: "M2 3.5h12v9H2zM2 4l6 5 6-5",
  failed: "M8 2 14.5 13.5h-13zM8 6.5v3M8 11.5v.2",
  queues: "M2 4h12M2 8h12M2 12h8",
  schedules: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
  batches: "M2 5.5 8 2.5l6 3-6 3zM2 8.5l6 3 6-3M2 11l6 3 6-3",
  events: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
  ticks: "M1.5 8h3l2-4.5 3 9 2-4.5h3",
  alerts: "M4 11.5V7a4 4 0 0 1 8 0v4.5M2.5 11.5h11M6.8 14h2.4",
  transports: "M2.5 5.5h11L10.5 2.5M13.5 10.5h-11l3 3",
  webhooks: "M2 8h8.5M7 4.5 10.5 8 7 11.5M13.5 3v10",
  actions: "M4 2.5h8v11H4zM6 5.5h4M6 8h4M6 10.5h2",
  ok: "M3 8.5 6.5 12 13 4.5",
  bad: "M4 4l8 8M12 4l-8 8",
  warn: "M8 2 14.5 13.5h-13zM8 6.5v3M8 11.5v.2",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5V11M8 5v.2",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5v9l7-4.5z",
  wait: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
  dot: "M8 9.2a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4z",
  reload: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5V5h-2.5",
  next: "M6 3.5 10.5 8 6 12.5",
  previous: "M10 3.5 5.5 8l4.5 4.5",
  close: "M4 4l8 8M12 4l-8 8",
  menu: "M2 4h12M2 8h12M2 12h12",
  plus: "M8 3v10M3 8h10",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
  edit: "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2z",
  sun:
    "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
  moon: "M13 9.5A5.5 5.5 0 1 1 6.5 3 4.5 4.5 0 0 0 13 9.5z",
  half: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12",
  keyboard: "M1.5 4h13v8h-13zM4 6.5h.1M6.7 6.5h.1M9.3 6.5h.1M12 6.5h.1M5 9.5h6",
  leave: "M6 2.5H2.5v11H6M10.5 5l3 3-3 3M13 8H6",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.2 3.2",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** Shows an icon; a word beside it, or the label of its button, says the same. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

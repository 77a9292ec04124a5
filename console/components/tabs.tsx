/** Views of one page, as links: the view lives in the address. */

import type { JSX } from "preact";
import { hrefTo, usePlace } from "../shell/router.tsx";

/** Properties of the tabs. */
export interface TabsProps {
  /** Says what they choose, for screen readers. */
  readonly label: string;
  /** Name of the view in the address. */
  readonly name: string;
  /** Values and their words; the empty value is the first view. */
  readonly tabs: readonly (readonly [value: string, words: string])[];
}

/** Shows the links; the filters of the address stay. */
export function Tabs({ label, name, tabs }: TabsProps): JSX.Element {
  const { path, query } = usePlace();
  const current = query.get(name) ?? "";
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(([value, words]) => (
        <a
          key={value}
          href={hrefTo(path, { ...Object.fromEntries(query), [name]: value })}
          aria-current={value === current ? "page" : undefined}
        >
          {words}
        </a>
      ))}
    </nav>
  );
}

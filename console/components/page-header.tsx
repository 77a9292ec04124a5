/** The heading of a page, with its buttons. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { SafeText } from "../payload/safe-text.tsx";

/** Properties of the heading. */
export interface PageHeaderProps {
  readonly title: string;
  /** Where the page belongs: a link, from `Link`. */
  readonly above?: ComponentChildren;
  /** Beside the title, such as a badge. */
  readonly beside?: ComponentChildren;
  /** Buttons. */
  readonly actions?: ComponentChildren;
}

/** The heading; it is also the title of the browser's tab. */
export function PageHeader({ title, above, beside, actions }: PageHeaderProps): JSX.Element {
  useEffect(() => {
    document.title = `${title} · Symphony Messenger`;
  }, [title]);
  return (
    <header class="page-header">
      <div class="page-heading">
        {above && <p class="page-above">{above}</p>}
        <div class="page-title">
          <h1 tabIndex={-1}>
            <SafeText text={title} longest={300} />
          </h1>
          {beside}
        </div>
      </div>
      {actions && <div class="page-actions">{actions}</div>}
    </header>
  );
}

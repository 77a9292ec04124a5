/** Pages whose code is loaded when they are first opened, or when the browser has nothing else to do. */

import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiProblem } from "../api/api-problem.ts";
import { Button } from "../components/controls.tsx";
import { ProblemNote } from "../components/problem-note.tsx";
import { Skeleton } from "../components/resource-view.tsx";
import type { PageProps } from "./page-props.ts";

type Page = ComponentType<PageProps>;

/** A page, and what loads it ahead of time. */
export interface LazyPage {
  readonly Page: Page;
  readonly preload: () => Promise<unknown>;
}

const RETIRED = new ApiProblem(
  0,
  "retired",
  "This page could not be loaded: the console was updated or has ended. Reload it.",
);

/**
 * Wraps a page.
 * @param load imports its module, such as `() => import("../pages/ticks/ticks-page.tsx")`
 * @param name its export
 */
export function lazyPage<Name extends string>(
  load: () => Promise<Readonly<Record<Name, Page>>>,
  name: Name,
): LazyPage {
  let loaded: Page | undefined;
  const preload = async () => loaded ??= (await load())[name];
  function Lazy(props: PageProps): JSX.Element {
    const [Loaded, setLoaded] = useState(() => loaded);
    const [hasFailed, setHasFailed] = useState(false);
    useEffect(() => {
      if (!Loaded) preload().then((page) => setLoaded(() => page), () => setHasFailed(true));
    }, []);
    if (Loaded) return <Loaded {...props} />;
    return hasFailed
      ? (
        <>
          <ProblemNote problem={RETIRED} />
          <Button onClick={() => location.reload()}>Reload</Button>
        </>
      )
      : <Skeleton rows={8} />;
  }
  return { Page: Lazy, preload };
}

/** Facts of one object: a word and a value each. */

import type { ComponentChildren, JSX } from "preact";

/** A fact; a value that is null or undefined is left out. */
export type Fact = readonly [word: string, value: ComponentChildren];

/** Shows facts. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.filter(([, value]) => value !== null && value !== undefined).map(([word, value]) => (
        <div key={word}>
          <dt>{word}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

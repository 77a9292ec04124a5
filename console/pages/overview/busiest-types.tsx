/** The types of which most messages ran in the last hour. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { formatDuration, formatNumber } from "../../components/relative-time.ts";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo } from "../../shell/router.tsx";

type Types = Schemas["Stats"]["types"];

const SHOWN = 5;

/** Shows the first of them in a card of the charts. */
export function BusiestTypes({ types }: { readonly types: Types }): JSX.Element {
  return (
    <div class="card busiest">
      <h3 id="busiest-title">Types in the last hour</h3>
      {types.length === 0
        ? <p class="muted">No message ran in the last hour.</p>
        : (
          <table aria-labelledby="busiest-title">
            <thead>
              <tr>
                <th scope="col">Type</th>
                <th scope="col">Handled</th>
                <th scope="col">Failed</th>
                <th scope="col">Run p50</th>
                <th scope="col">p99</th>
              </tr>
            </thead>
            <tbody>
              {types.slice(0, SHOWN).map(({ type, handled, failed, runMs }) => (
                <tr key={type}>
                  <th scope="row">
                    <a href={hrefTo("/", { type })} title={type}>
                      <SafeText text={type} longest={80} />
                    </a>
                  </th>
                  <td>{formatNumber(handled, { isShort: true })}</td>
                  <td>{formatNumber(failed, { isShort: true })}</td>
                  <td>{runMs ? formatDuration(runMs.p50) : "–"}</td>
                  <td>{runMs ? formatDuration(runMs.p99) : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
    </div>
  );
}

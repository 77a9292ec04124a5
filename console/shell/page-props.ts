/** Properties of every page. */
export interface PageProps {
  /** The values in its path, such as `{ name: "mail" }` for `/queues/:name`. */
  readonly params: Readonly<Record<string, string>>;
}

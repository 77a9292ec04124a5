/** Texts of errors about HTTP responses. */

/** The text of an error about a response. */
export function httpMessage(status: number, url: string | undefined): string {
  return url === undefined ? `HTTP ${status}` : `HTTP ${status} from ${url}`;
}

/** The URL without parts that may hold a secret; undefined if there is no URL. */
export function withoutSecrets(url: string): string | undefined {
  if (url === "") return undefined;
  if (!URL.canParse(url)) return url.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//");
  const parsed = new URL(url);
  return Object.assign(parsed, { username: "", password: "", search: "", hash: "" }).href;
}

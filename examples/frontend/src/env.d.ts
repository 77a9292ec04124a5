/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The browser, and the variables that Vite puts into the page. */

interface ImportMeta {
  readonly env: {
    readonly VITE_SUPABASE_URL: string;
    readonly VITE_SUPABASE_PUBLISHABLE_KEY: string;
  };
}

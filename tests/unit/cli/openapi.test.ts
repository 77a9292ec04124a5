/** The OpenAPI document: it is the committed one, it is valid, and a client can be made from it. */

import { assert, assertEquals } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import openapiTS, { astToString } from "openapi-typescript";
import { OPENAPI_FILE, openApiText } from "../../../cli/openapi.ts";

const CLIENT = new URL("./fixtures/openapi_client.ts.txt", import.meta.url);
const IMPORT_MAP = new URL("../../../import_map.json", import.meta.url).pathname;

Deno.test("the committed OpenAPI document is that of the code", async () => {
  const isCurrent = await openApiText() === await Deno.readTextFile(OPENAPI_FILE);
  assert(isCurrent, "the document differs from the code: run `deno task openapi`");
});

Deno.test("the OpenAPI document is valid by the specification, and the validator refuses others", async () => {
  const document = JSON.parse(await openApiText());
  assertEquals(await new Validator().validate(document), { valid: true });
  const broken = { ...document, paths: { "/x": { get: { responses: 5 } } } };
  assertEquals((await new Validator().validate(broken)).valid, false);
});

Deno.test("every operation has an id of its own, a summary, and says how it fails", async () => {
  const { paths }: { paths: Record<string, Record<string, Operation>> } = JSON.parse(
    await openApiText(),
  );
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  assert(operations.length > 25);
  assertEquals(
    new Set(operations.map(({ operationId }) => operationId)).size,
    operations.length,
  );
  for (const { operationId, summary, responses } of operations) {
    assert(summary, operationId);
    for (const status of ["400", "401", "403", "405", "503"]) {
      assert(responses[status], `${operationId} ${status}`);
    }
  }
});

Deno.test("a client generated from the document type-checks, and refuses what is not in it", async () => {
  const folder = await Deno.makeTempDir({ dir: new URL(".", CLIENT).pathname, prefix: "client-" });
  try {
    await Deno.writeTextFile(
      `${folder}/schema.ts`,
      astToString(await openapiTS(JSON.parse(await openApiText()))),
    );
    await Deno.copyFile(CLIENT, `${folder}/client.ts`);
    const check = new Deno.Command(Deno.execPath(), {
      args: ["check", "--no-lock", `--import-map=${IMPORT_MAP}`, `${folder}/client.ts`],
      env: { NO_COLOR: "1" },
    });
    const { success, stderr } = await check.output();
    assert(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

interface Operation {
  operationId: string;
  summary?: string;
  responses: Record<string, unknown>;
}

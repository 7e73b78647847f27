import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

// What a project sees of trigger: the declarations of the front doors, as the package has them.

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "trigger-types-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const emit = ["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", folder];
execFileSync(join(root, "node_modules/.bin/tsc"), emit, { encoding: "utf8" });

interface Declared {
  readonly name: string;
  /** The type parameters, the parameters, and the members, without what a function gives. */
  readonly text: string;
  /** The types of trigger that the text names. */
  readonly uses: readonly string[];
}

/** Types that only shorten a declaration: no user has a use for their names. */
const inner = ["AnyTable", "Known", "Wire"];

for (const door of ["index", "directory", "testing"]) {
  const declared = declarationsOf(`${door}.d.ts`);
  const exported = new Set(declared.map(({ name }) => name));

  test(`each type that an export of ${door}.ts names is exported too`, () => {
    assert.ok(declared.length > 8, `only ${declared.length} declarations were found`);
    const missing = declared.flatMap(({ name, uses }) =>
      uses.filter((used) => !exported.has(used) && !inner.includes(used)).map((used) => `${name}: ${used}`),
    );
    assert.deepEqual(missing, []);
  });
}

test("no function of the front doors shows a schema of zod, but where the user gives one", () => {
  const functions = declarationsOf("index.d.ts").filter(({ text }) => /^export declare function/.test(text));
  assert.ok(functions.length > 10);
  const shown = functions.filter(({ text }) => /\bz\.|typeof \w*[sS]ettings|zod/.test(text)).map(({ name }) => name);
  assert.deepEqual(shown, ["service"]);
});

/** The declarations behind the exports of a file. */
function declarationsOf(file: string): Declared[] {
  const text = readFileSync(join(folder, file), "utf8");
  const own = [...text.matchAll(/^export declare function (\w+)/gm)].flatMap(([, name = ""]) => find(text, name));
  const others = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from "(\.[^"]+)"/gm)].flatMap(
    ([, names = "", from = ""]) => {
      const path = join(folder, dirname(file), from.replace(/\.ts$/, ".d.ts"));
      const source = readFileSync(path, "utf8");
      const each = names.split(",").map((name) => name.trim().replace(/^type /, ""));
      return each.filter((name) => name !== "").flatMap((name) => find(source, name));
    },
  );
  return [...own, ...others];
}

/** The declarations of a name: several of an overloaded function. */
function find(source: string, name: string): Declared[] {
  const starts = `export (?:declare )?(?:abstract )?(?:function|interface|type|class|const) ${name}\\b`;
  const parts = source.split(/^(?=export |declare |interface |type |import |\/\*\*)/m);
  const found = parts.filter((part) => new RegExp(`^${starts}`).test(part));
  assert.ok(found.length > 0, `no declaration of ${name} is found`);
  return found.map((part) => {
    const text = part.startsWith("export declare function") ? parametersOf(part) : part.replace(/\/\*.*?\*\//gs, "");
    const known = new Set(
      [...source.matchAll(/^(?:export )?(?:declare )?(?:interface|type|class) (\w+)|^import .*?\{([^}]*)\}/gm)].flatMap(
        ([, local, imported = ""]) => [
          local ?? "",
          ...imported.split(",").map((one) => one.trim().replace(/^type /, "")),
        ],
      ),
    );
    const words = [...text.matchAll(/(?<![.\w"])[A-Z]\w*/g)].map(([word]) => word);
    const inline = [...text.matchAll(/import\("\.[^"]+"\)\.(\w+)/g)].map(([, word = ""]) => word);
    const uses = [...new Set([...words.filter((word) => known.has(word)), ...inline])];
    return { name, text, uses: uses.filter((word) => word !== name) };
  });
}

/** A function's declaration up to the end of its parameters. */
function parametersOf(text: string): string {
  let depth = 0;
  for (const [index, sign] of [...text].entries()) {
    if (sign === "(") depth += 1;
    if (sign === ")") depth -= 1;
    if (sign === ")" && depth === 0) return text.slice(0, index + 1);
  }
  return text;
}

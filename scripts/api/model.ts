import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompilerState, Extractor, ExtractorConfig, type ExtractorMessage } from "@microsoft/api-extractor";

/** An export of a front door, or a member of one, as API Extractor writes it down. */
export interface Item {
  readonly kind: string;
  readonly name?: string;
  /** The doc comment as it stands in the source, empty where there is none. */
  readonly docComment?: string;
  readonly excerptTokens: readonly { readonly text: string }[];
  readonly parameters?: readonly Parameter[];
  readonly members?: readonly Item[];
}

/** A parameter, and the tokens of the excerpt that are its type. */
export interface Parameter {
  readonly parameterName: string;
  readonly isOptional: boolean;
  readonly parameterTypeTokenRange: { readonly startIndex: number; readonly endIndex: number };
}

/** A front door with its exports, and the types that these name without being exports themselves. */
export interface Door {
  /** The word behind `from`: `trigger/directory`. */
  readonly name: string;
  readonly items: readonly Item[];
  readonly forgotten: readonly string[];
}

/** The front doors and their files in `src`, in the order of `exports` of package.json. */
export const doors: Readonly<Record<string, string>> = {
  trigger: "index",
  "trigger/directory": "directory",
  "trigger/testing": "testing",
};

const root = join(import.meta.dirname, "../..");

/** Reads the exports of every front door from the declarations that the package would have. */
export function readDoors(): Door[] {
  const folder = mkdtempSync(join(tmpdir(), "trigger-api-"));
  try {
    const emit = ["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", join(folder, "dist")];
    execFileSync(join(root, "node_modules/.bin/tsc"), emit, { stdio: "inherit" });
    const compilerOptions = {
      target: "esnext",
      lib: ["esnext"],
      module: "nodenext",
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
      strict: true,
      skipLibCheck: true,
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["dist"] }));
    writeFileSync(join(folder, "package.json"), readFileSync(join(root, "package.json")));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    return extract(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function extract(folder: string): Door[] {
  const declarations = (file: string): string => join(folder, "dist", `${file}.d.ts`);
  const configs = Object.entries(doors).map(([name, file]) => ({ name, file, config: configOf(folder, file) }));
  const [first] = configs;
  if (!first) return [];
  const additionalEntryPoints = configs.map(({ file }) => declarations(file));
  const compilerState = CompilerState.create(first.config, { additionalEntryPoints });
  return configs.map(({ name, file, config }) => {
    const forgotten: string[] = [];
    const messageCallback = (message: ExtractorMessage): void => {
      message.handled = true;
      if (message.messageId !== "ae-forgotten-export") return;
      forgotten.push(/symbol "(.+?)(?:_\d+)?"/.exec(message.text)?.[1] ?? message.text);
    };
    Extractor.invoke(config, { compilerState, localBuild: true, messageCallback });
    const written: Item = JSON.parse(readFileSync(join(folder, `${file}.api.json`), "utf8"));
    return { name, items: written.members?.[0]?.members ?? [], forgotten };
  });
}

function configOf(folder: string, file: string): ExtractorConfig {
  const off = { enabled: false };
  const logged = { default: { logLevel: "warning" as const } };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, "dist", `${file}.d.ts`),
      compiler: { tsconfigFilePath: join(folder, "tsconfig.json") },
      newlineKind: "lf",
      apiReport: off,
      docModel: { enabled: true, apiJsonFilePath: join(folder, `${file}.api.json`) },
      dtsRollup: off,
      tsdocMetadata: off,
      messages: {
        compilerMessageReporting: logged,
        extractorMessageReporting: logged,
        tsdocMessageReporting: logged,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, "package.json"),
  } as Parameters<typeof ExtractorConfig.prepare>[0]);
}

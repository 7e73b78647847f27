import { z } from "zod";
import { options, text, together, yesOrNo } from "../../../src/core/config/options.ts";

interface Tea {
  readonly kind: string;
  readonly milk?: boolean;
}

options<Tea>({ kind: text, milk: yesOrNo.optional() });
options<Tea>({ kind: text }); // @expect 'milk' is missing
options<Tea>({ kind: text, milk: yesOrNo.optional(), sugar: z.number() }); // @expect 'sugar' does not exist
options<Tea>({ kind: text, milk: text.optional() }); // @expect 'string' is not assignable to type 'boolean
options<Tea>({ kind: text.optional(), milk: yesOrNo.optional() }); // @expect 'undefined' is not assignable to type 'string'
options<Tea>({ kind: text, milk: yesOrNo.optional() }).check(together("kind", "sugar")); // @expect '"sugar"' is not assignable

/** @file All kinds of input that are fuzzed, by the names that `npm run fuzz` takes. */
import type { FuzzKind } from './kind.ts';
import { adapters } from './kinds/adapters.ts';
import { arrayFiles } from './kinds/arrays.ts';
import { chats } from './kinds/chats.ts';
import { checkpoints } from './kinds/checkpoints.ts';
import { images } from './kinds/images.ts';
import { links } from './kinds/links.ts';
import { onnx } from './kinds/onnx.ts';
import { plans } from './kinds/plans.ts';
import { runArchives } from './kinds/exports.ts';
import { templates } from './kinds/templates.ts';
import { tokenizers } from './kinds/tokenizers.ts';
import { toml } from './kinds/toml.ts';
import { zips } from './kinds/zips.ts';

export const kinds: Readonly<Record<string, FuzzKind>> = {
  ...{ links, toml, plans, adapters, onnx, arrays: arrayFiles, images, zips },
  ...{ tokenizers, templates, checkpoints, exports: runArchives, chats },
};

import { join } from 'node:path';

/** Where the built client lies, made by `node tools/build-meeting/main.ts`; relative to the root of the repository. */
export const BUILT_CLIENT = join('dist', 'meeting');

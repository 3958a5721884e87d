export type { FuzzOptions, FuzzReport } from './engine.ts';
export type { FuzzTarget } from './target.ts';

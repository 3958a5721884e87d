export { type FuzzOptions, type FuzzReport, fuzz } from './engine.ts';
export type { FuzzTarget } from './target.ts';

export { type About, type Archive, type Manifest, pack, unpack } from './archive.ts';
export { type Belongings, collect } from './collect.ts';
export { type Lock, lock, type Opener, unlock } from './container.ts';
export { inTheWay, putBack } from './restore.ts';

export {
  createDurably,
  linkTarget,
  relinkDurably,
  replaceDurably,
  syncFolder,
  writeDurably,
} from './durable.ts';
export {
  type Command,
  copyDatabase,
  type Query,
  type Row,
  Store,
  type StoreOptions,
  type StoreValue,
} from './store.ts';

export { type Command, type Query, type Row, Store, type StoreOptions, type StoreValue } from './store.ts';

export { type NewAccount, newAccount } from './accounts.ts';
export { Directory } from './directory.ts';
export { service } from './service.ts';

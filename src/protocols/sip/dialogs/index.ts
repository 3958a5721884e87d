export {
  Dialog,
  type DialogRecord,
  type DialogRefusal,
  type DialogRequest,
  type DialogRequestOptions,
  type DialogState,
} from './dialog.ts';
export { dialogIdOf } from './dialog-id.ts';
export { type Dismissal, dismissalOf } from './dismissal.ts';

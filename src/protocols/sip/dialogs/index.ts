export {
  Dialog,
  type DialogRefusal,
  type DialogRequest,
  type DialogRequestOptions,
  type DialogState,
} from './dialog.ts';
export { dialogId, dialogIdOf } from './dialog-id.ts';

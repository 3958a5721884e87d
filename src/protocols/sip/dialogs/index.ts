export {
  Dialog,
  type DialogRefusal,
  type DialogRequest,
  type DialogRequestOptions,
  type DialogState,
} from './dialog.ts';

export {
  type Addresses,
  type Located,
  type LocateFailure,
  type LocateReason,
  locate,
  type Sought,
  type Target,
  targetAddresses,
} from './locate.ts';

export {
  Revocation,
  type RevocationLimits,
  type RevocationOptions,
  type RevocationPolicy,
} from './revocation.ts';
export { revocationPolicy } from './revocation-policy.ts';

export { Disclosure, type DisclosureScope } from './disclosure.ts';
export { Seal, type SealPurpose, type SealSecrets } from './seal.ts';

export { BEHIND, TopologyHiding } from './topology-hiding.ts';

export {
  type CertificatePlan,
  certificatePlan,
  type PlannedCertificate,
} from './certificate-plan.ts';
export { writeRequests } from './certificate-requests.ts';
export { type ExaminedCertificate, examineCertificates } from './examination.ts';
export type { PartnerView } from './partner-view.ts';
export { publicRoots } from './public-roots.ts';

export { ReplicaFolder } from './folder.ts';
export { loadVerifiedEdge, policyProblems, replicaJudge } from './judge.ts';
export { stage } from './stage.ts';

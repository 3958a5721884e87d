export { keptActivation, stageActivation } from './activation.ts';
export { ReplicaFolder } from './folder.ts';
export { ACTIVATION_END, loadVerifiedEdge, policyProblems, replicaJudge } from './judge.ts';
export { stage } from './stage.ts';

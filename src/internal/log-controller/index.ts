export {
  type ControlEdges,
  controlAnswer,
  copyAnswer,
  type OutcomeAnswer,
  openedAnswer,
  pendingAnswer,
  readAnswer,
  segmentsAnswer,
} from './answers.ts';
export { service } from './service.ts';

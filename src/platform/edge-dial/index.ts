export {
  EdgeDial,
  type EdgeDialContext,
  type EdgeDialSettings,
  type EdgeSeat,
  type EdgeTarget,
} from './edge-dial.ts';

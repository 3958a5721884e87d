export { type ExplainOptions, explain } from './explain/explain.ts';
export type {
  NodeAddresses,
  Note,
  PortSummary,
  RelayRange,
  Side,
  SideAddress,
  SummaryFlow,
  SummaryRow,
  SummaryTable,
} from './model.ts';
export { formatNames, renderSummary, type SummaryFormat } from './render/render.ts';
export { portSummary, type SummaryOptions } from './summary.ts';
export { type Language, languageNames } from './texts/texts.ts';

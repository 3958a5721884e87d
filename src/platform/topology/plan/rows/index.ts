import { externalRows } from './external-rows.ts';
import { internalRows } from './internal-rows.ts';
import { moreRows } from './more-rows.ts';
import { narrowerRows } from './narrower-rows.ts';
import type { RowDefinition } from './row-definition.ts';

/**
 * The port rows as data. The 37 rows with their ids are those of `spec/registries/port-rows.json`, against which this
 * table is tested; ids `more-NN` are sockets and flows beyond them.
 */

/** Every row in the order of the tables. */
export const rowDefinitions: readonly RowDefinition[] = [
  ...externalRows,
  ...internalRows,
  ...narrowerRows,
  ...moreRows,
];

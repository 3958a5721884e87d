type Tens = '10' | '11';
type Digits = '01' | '02' | '03' | '04' | '05' | '06' | '07' | '08' | '09';

/** Rows with a flow of their own: 28 of the 37, and those beyond. `more-02` belongs to internal.yaml. */
export type DistinctRowId =
  | `ext-${Digits | Tens | '12' | '13' | '14' | '15' | '16'}`
  | `int-${Digits | Tens}`
  | 'xmpp-02'
  | `more-${Exclude<Digits, '02'> | Tens}`;

/** Rows that repeat or narrow another one. */
export type RepeatedRowId =
  | 'fed-01'
  | `pic-${'01' | '02' | '03' | '04' | '05' | '06'}`
  | 'xmpp-01'
  | 'xmpp-03';

export type RowId = DistinctRowId | RepeatedRowId;

/** What is told of a row: sentences, but for the two that continue one. */
export interface RepeatedRowText {
  /** One short sentence for the tables. */
  readonly purpose: string;
  /** Who talks to whom and why. */
  readonly story: string;
}

export interface RowText extends RepeatedRowText {
  /** Continues "If it is closed, ". */
  readonly closed: string;
  /** Continues "Open, it exposes ". */
  readonly open: string;
}

/** A language has every row, or it does not compile. */
export type RowTexts = Readonly<Record<DistinctRowId, RowText> & Record<RepeatedRowId, RepeatedRowText>>;

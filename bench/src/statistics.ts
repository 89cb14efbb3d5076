/** Medians and spreads of a few rounds. Three rounds prove little: that is why the extremes are always shown beside. */

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Of an even count, the mean of the two in the middle. Throws RangeError when there is nothing to tell. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const last = sorted.length - 1;
  return { min: at(0), median: (at(Math.floor(last / 2)) + at(Math.ceil(last / 2))) / 2, max: at(last) };
}

/**
 * Divides round by round, not median by median: what disturbed the machine in one round disturbed both sides of that
 * round. Throws RangeError when the rounds do not pair up.
 */
export function ratiosOf(over: readonly number[], under: readonly number[]): readonly number[] {
  if (over.length !== under.length) throw new RangeError(`${over.length} rounds against ${under.length}`);
  return over.map((value, round) => value / (under[round] ?? Number.NaN));
}

// The steps in the column `first_steps` of a run, one by one, for statements about a run.

/**
 * The places of the steps in `first_steps`. A subquery of the run, so that SQLite parses that column once: it keeps the parsed form
 * of a value that it finds again, and a list of its own would push it out.
 */
export const FIRST_STEPS = 'n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < json_array_length(first_steps))';
/** A member of the step at a place (run-columns.ts). */
export const member = (index: number, operator: '->' | '->>'): string => `(first_steps ${operator} ('$[' || i || '][${index}]'))`;

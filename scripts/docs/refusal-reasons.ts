// The table of the reasons for which a trigger is refused, from the causes that the CLI shows.

import { REFUSAL_CAUSES } from '../../src/core/sink/refusal-causes.ts';
import { code, markdownTable } from './markdown-table.ts';

export function refusalReasonsTable(): string {
  const rows = Object.entries(REFUSAL_CAUSES).map(([reason, cause]) => [code(reason), cause]);
  return markdownTable(['Reason', 'Usual cause'], rows);
}

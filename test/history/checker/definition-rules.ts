// Rules about edits: each acknowledged one is a version, and every reader sees one that was current while it read.

import { type Entry, entriesOf, type FinalState, type History, shown, toldOf, type Violation } from '../history.ts';
import { FIRST_EDITION } from '../load/workload.ts';
import type { RunIndex } from './run-index.ts';

/** Versions are the first edition and one for each edit that was acknowledged, or may have been done. */
export function explainedVersions(history: History, { editions }: FinalState): Violation[] {
  const rule = 'explained versions';
  const edits = entriesOf(history, 'edit');
  const violations: Violation[] = [];
  for (const entry of edits) {
    const { workflow, edition, base } = entry.asked;
    const stored = editions[workflow] ?? [];
    const version = toldOf(entry)?.version;
    if (version !== undefined && stored[version - 1] !== edition)
      violations.push({ rule, message: `${shown(entry)} became version ${version}, which is ${stored[version - 1] ?? 'missing'}` });
    if (version !== undefined && base !== null && version !== base + 1)
      violations.push({ rule, message: `${shown(entry)} was for version ${base} only, and became version ${version}` });
    if (entry.outcome.kind === 'refused' && stored.includes(edition))
      violations.push({ rule, message: `${shown(entry)} left version ${stored.indexOf(edition) + 1}` });
  }
  const asked = new Set(edits.map((entry) => `${entry.asked.workflow} ${entry.asked.edition}`));
  for (const [workflow, stored] of Object.entries(editions)) {
    const seen = new Set<string>();
    for (const [index, edition] of stored.entries()) {
      const isExplained = index === 0 ? edition === FIRST_EDITION : asked.has(`${workflow} ${edition}`);
      if (!isExplained || seen.has(edition))
        violations.push({ rule, message: `nobody asked for version ${index + 1} of ${workflow}, ${edition}` });
      seen.add(edition);
    }
  }
  return violations;
}

/** A read, or a run, with the version that it used, at some moment between its begin and its end. */
interface Use {
  what: string;
  version: number;
  edition: string | undefined;
  from: number;
  to: number;
}

/** Each use is of a version that was current while it lasted. A run keeps its version. */
export function currentVersions(history: History, { editions }: FinalState, index: RunIndex): Violation[] {
  const rule = 'current versions';
  const askedAt = new Map(entriesOf(history, 'edit').map((entry) => [`${entry.asked.workflow} ${entry.asked.edition}`, entry.invokedAt]));
  return Object.entries(editions).flatMap(([workflow, stored]) => {
    const { edits, reads, runs } = usesOf(history, workflow, index);
    const violations = [...replacedUses([...edits, ...reads]), ...replacedUses([...edits, ...runs])].map(([use, known]) => ({
      rule,
      message: `${use.what} used version ${use.version} of ${workflow} after ${known.what} used ${known.version}`,
    }));
    for (const { what, version, edition, to } of [...reads, ...runs]) {
      const right = stored[version - 1] ?? '';
      if (edition !== undefined && edition !== right)
        violations.push({ rule, message: `${what} saw ${edition} in version ${version} of ${workflow}, which is ${right}` });
      if ((askedAt.get(`${workflow} ${right}`) ?? Number.NEGATIVE_INFINITY) > to)
        violations.push({ rule, message: `${what} used version ${version} of ${workflow} before it was asked for` });
    }
    return violations;
  });
}

/** Returns each use of a version older than one that had been used before it began, with that one. */
function replacedUses(uses: readonly Use[]): [Use, Use][] {
  const ended = [...uses].sort((a, b) => a.to - b.to);
  const replaced: [Use, Use][] = [];
  let known: Use | null = null;
  let next = 0;
  for (const use of [...uses].sort((a, b) => a.from - b.from)) {
    for (; (ended[next]?.to ?? Number.POSITIVE_INFINITY) < use.from; next += 1)
      if (known === null || (ended[next] as Use).version > known.version) known = ended[next] as Use;
    if (known !== null && use.version < known.version) replaced.push([use, known]);
  }
  return replaced;
}

/** An edit with If-Match is refused as stale only if another version may have been current. */
export function staleEdits(history: History): Violation[] {
  const edits = entriesOf(history, 'edit');
  return edits.flatMap((entry) => {
    const { asked, outcome, returnedAt } = entry;
    if (outcome.kind !== 'refused' || outcome.status !== 412) return [];
    const mayBeStale = edits.some(
      (other) =>
        other !== entry &&
        other.asked.workflow === asked.workflow &&
        other.outcome.kind !== 'refused' &&
        other.invokedAt < returnedAt &&
        isAfter(other, asked.base),
    );
    return asked.base !== null && mayBeStale ? [] : [{ rule: 'stale edits', message: `${shown(entry)}, and no other edit came first` }];
  });
}

const isAfter = (edit: Entry<'edit'>, base: number | null): boolean => (toldOf(edit)?.version ?? Number.POSITIVE_INFINITY) > (base ?? 0);

interface Uses {
  edits: Use[];
  /** An edit that is not acknowledged yet may be read a moment before runs use it, so reads and runs are not compared. */
  reads: Use[];
  runs: Use[];
}

function usesOf(history: History, workflow: string, { finals, startOf }: RunIndex): Uses {
  const ofWorkflow = ({ asked }: Entry<'edit' | 'readWorkflow'>): boolean => asked.workflow === workflow;
  const useOf = (entry: Entry<'edit'> | Entry<'readWorkflow'>): Use[] => {
    const told = entry.outcome.kind === 'ok' ? entry.outcome.told : undefined;
    if (told === undefined) return [];
    return [{ what: shown(entry), edition: undefined, ...told, from: entry.invokedAt, to: entry.returnedAt }];
  };
  const runs = [...finals.values()].filter(({ sink }) => sink === workflow);
  return {
    edits: entriesOf(history, 'edit').filter(ofWorkflow).flatMap(useOf),
    reads: entriesOf(history, 'readWorkflow').filter(ofWorkflow).flatMap(useOf),
    runs: runs.flatMap((run): Use[] => {
      const { invokedAt: from, returnedAt: to } = startOf(run);
      const seen = [run.output?.['edition'], run.output?.['last_edition']].filter((edition) => typeof edition === 'string');
      return (seen.length === 0 ? [undefined] : seen).map((edition) => ({ what: run.runId, version: run.version, edition, from, to }));
    }),
  };
}

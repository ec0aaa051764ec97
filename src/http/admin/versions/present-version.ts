// Presents versions of workflows and what differs between two.

import type { ListDiff, VersionDiff } from '../../../core/workflow/views/version-diff.ts';
import type { VersionSummary } from '../../../storage/definition-store.ts';

export function presentVersion({ version, createdAt, isCurrent }: VersionSummary): object {
  return { version, created_at: new Date(createdAt).toISOString(), is_current: isCurrent };
}

export function presentDiff({ inputs, steps, outputs, copies, others }: VersionDiff): object {
  return {
    inputs: presentList(inputs),
    steps: presentList(steps),
    outputs: presentList(outputs),
    used_workflows: presentList(copies),
    others,
  };
}

function presentList({ added, removed, changed, isReordered }: ListDiff): object {
  return { added, removed, changed, reordered: isReordered };
}

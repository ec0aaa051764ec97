// A memory budget that no test exhausts.

import { createMemoryBudget, type MemoryBudget } from '../../src/memory-budget.ts';

export const plentyOfMemory = (): MemoryBudget => createMemoryBudget(2 ** 40);

// `sluice apply`: makes the server hold what definition files say, all of it or nothing.

import type { Command } from 'commander';
import { defineChanges } from './definition-changes.ts';
import type { CliContext } from './program.ts';

export function define(command: Command, context: CliContext): void {
  defineChanges(command, context, 'apply', (count) => `applied ${count === 1 ? '1 change' : `${count} changes`}`);
}

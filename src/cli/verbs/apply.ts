// `sluice apply`: applies definition files to the server, all or nothing.

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { defineChanges } from '../definition-changes.ts';

export function define(command: Command, context: CliContext): void {
  defineChanges(command, context, 'apply', (count) => `applied ${count === 1 ? '1 change' : `${count} changes`}`);
}

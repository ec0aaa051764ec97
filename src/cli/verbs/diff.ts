// `sluice diff`: shows what applying definition files would change on the server.

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { defineChanges } from '../definition-changes.ts';

export function define(command: Command, context: CliContext): void {
  defineChanges(command, context, 'diff', (count) => `${count === 1 ? '1 change' : `${count} changes`}; "sluice apply" makes them`);
}

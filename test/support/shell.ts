// Runs a command line in a shell, as a person pastes it into a terminal.

import { execFile } from 'node:child_process';

export interface ShellResult {
  code: number;
  stdout: string;
  stderr: string;
}

export function runShell(commandLine: string): Promise<ShellResult> {
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', commandLine], { timeout: 15_000 }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

// The command line. Each verb, or noun with its verbs, has a file that is loaded only when it is used.

import { Command, CommanderError } from 'commander';
import type { Environment } from '../config/config.ts';
import { VERSION } from '../version.ts';
import type { CliContext } from './context.ts';
import { ExitError, FAILED, WRONG_USAGE } from './exit-error.ts';
import { type Io, processIo } from './io.ts';

/** A verb's file: defines the command's arguments, options, verbs and actions. */
interface VerbModule {
  define(command: Command, context: CliContext): void;
}

interface Verb {
  name: string;
  about: string;
  load: () => Promise<VerbModule>;
}

const verbs: readonly Verb[] = [
  { name: 'serve', about: 'start the server', load: () => import('./verbs/serve.ts') },
  { name: 'send', about: 'send a request to a sink and watch the run', load: () => import('./verbs/send.ts') },
  { name: 'listen', about: 'receive requests and print them; fail when told to', load: () => import('./verbs/listen.ts') },
  { name: 'run', about: 'list, get, tail, cancel and replay runs', load: () => import('./verbs/run.ts') },
  { name: 'job', about: 'list, show and cancel jobs', load: () => import('./verbs/job.ts') },
  { name: 'delivery', about: 'list, get, retry and export deliveries', load: () => import('./verbs/delivery.ts') },
  { name: 'sink', about: 'list, create and delete sinks, rotate tokens, infer schemas', load: () => import('./verbs/sink.ts') },
  {
    name: 'sample',
    about: 'keep requests of sinks as samples, and run workflows dry on them',
    load: () => import('./verbs/samples/sample.ts'),
  },
  {
    name: 'rejection',
    about: 'list and show refused triggers, with their usual causes',
    load: () => import('./verbs/refusals/rejection.ts'),
  },
  { name: 'client', about: 'block and unblock clients', load: () => import('./verbs/refusals/client.ts') },
  { name: 'workflow', about: 'check workflow definitions, and try them out', load: () => import('./verbs/workflow.ts') },
  { name: 'validate', about: 'check definition files without a server', load: () => import('./verbs/validate.ts') },
  { name: 'diff', about: 'show what applying definition files would change', load: () => import('./verbs/diff.ts') },
  { name: 'apply', about: 'apply definition files to the server', load: () => import('./verbs/apply.ts') },
  { name: 'export', about: 'print all definitions of the server', load: () => import('./verbs/export.ts') },
  { name: 'config', about: 'print the settings and the source of each', load: () => import('./verbs/config.ts') },
  { name: 'healthcheck', about: 'check that the server is alive, or ready', load: () => import('./verbs/health/healthcheck.ts') },
  { name: 'status', about: 'show what the server has to do now, and what it stores', load: () => import('./verbs/health/status.ts') },
];

/** Runs one command; returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted. */
export async function runCli(argv: readonly string[], environment: Environment, io: Io = processIo()): Promise<number> {
  try {
    const program = await buildProgram(argv.slice(2), { environment, io });
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    return await report(error, io);
  }
}

async function buildProgram(words: readonly string[], context: CliContext): Promise<Command> {
  const { io } = context;
  const program = new Command('sluice')
    .description('Self-hosted HTTP sink trigger server: a request starts a durable workflow run and streams it back.')
    .version(VERSION)
    .exitOverride()
    // The options of a verb are its own, also where one has the name of an option of the program.
    .enablePositionalOptions()
    .showHelpAfterError('(run with --help for usage)')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'sluice: ')),
    });
  const wanted = words.find((word) => word !== 'help' && !word.startsWith('-'));
  for (const { name, about, load } of verbs) {
    const command = program.command(name).description(about);
    if (name === wanted) (await load()).define(command, context);
  }
  return program;
}

async function report(error: unknown, io: Io): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
  const { describeError } = await import('./describe-error.ts');
  const message = describeError(error);
  if (message !== '') io.stderr.write(`${message.replaceAll(/^/gm, 'sluice: ')}\n`);
  return error instanceof ExitError ? error.exitCode : FAILED;
}

// Helper processes of the bench (load generator, baselines): each is asked one thing at a time, over Node's own
// channel, which is silent while something is measured.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.ts';

type Answer<Reply> = { reply: Reply } | { error: string };

export interface Helper<Question, Reply> {
  pid: number;
  /** Rejects with what went wrong in the helper, or when it ends before it answers. */
  ask(question: Question): Promise<Reply>;
}

/** The helper ends with the part of the bench that started it. */
export function startHelper<Question, Reply>(
  { signal, onEnd }: Pick<Bench, 'signal' | 'onEnd'>,
  file: URL,
  env: Record<string, string> = {},
): Helper<Question, Reply> {
  const child = fork(fileURLToPath(file), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    signal,
  });
  child.on('error', () => undefined);
  onEnd(() => stopProcess(child));
  return {
    pid: child.pid as number,
    async ask(question) {
      if (!child.connected) throw new Error(`${file.pathname} has ended`);
      const settled = new AbortController();
      const answered = once(child, 'message', { signal: settled.signal });
      const ended = once(child, 'exit', { signal: settled.signal }).then(([code, by]) => {
        throw new Error(`${file.pathname} ended with ${code ?? by} before it answered`);
      });
      child.send(question as object);
      try {
        const [answer] = (await Promise.race([answered, ended])) as [Answer<Reply>];
        if ('error' in answer) throw new Error(answer.error);
        return answer.reply;
      } finally {
        settled.abort();
        await Promise.allSettled([answered, ended]);
      }
    },
  };
}

/** The helper's side: answers each question, and ends when the bench is gone. */
export function answerQuestions<Question, Reply>(answer: (question: Question) => Promise<Reply>): void {
  process.on('message', (question: Question) => {
    answer(question).then(
      (reply) => process.send?.({ reply }),
      (error: Error) => process.send?.({ error: error.message }),
    );
  });
  process.on('disconnect', () => process.exit());
}

const PATIENCE_MS = 15_000;

/** Asks it to end, and makes it when it does not within a while. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const overdue = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await exited;
  clearTimeout(overdue);
}

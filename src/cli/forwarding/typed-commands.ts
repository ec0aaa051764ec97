// The commands that a person types while requests are passed on: `r`, `r N` and `q`.

export type TypedCommand = { kind: 'replay'; back: number } | { kind: 'quit' } | { kind: 'unknown'; text: string };

/** Lines longer than this are cut: standard input may be anything. */
const MAX_LINE = 1000;

/** Yields one command per line, until the input ends or fails. */
export async function* typedCommands(input: AsyncIterable<Uint8Array>): AsyncGenerator<TypedCommand> {
  const decoder = new TextDecoder();
  let line = '';
  try {
    for await (const chunk of input) {
      const lines = (line + decoder.decode(chunk, { stream: true })).split('\n');
      line = (lines.pop() as string).slice(0, MAX_LINE);
      for (const text of lines) if (text.trim() !== '') yield readCommand(text.trim());
    }
  } catch {
    // Without input there are no commands.
  }
}

function readCommand(text: string): TypedCommand {
  if (text === 'q') return { kind: 'quit' };
  const back = /^r(?:\s+([1-9]\d{0,5}))?$/.exec(text);
  return back === null ? { kind: 'unknown', text } : { kind: 'replay', back: Number(back[1] ?? 1) };
}

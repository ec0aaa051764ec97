// Reads a server-sent event stream frame by frame from a fetch response.

export interface Frame {
  id: number;
  /** The text after `data: `, unchanged. */
  text: string;
  data: any;
}

/** Yields frames as they arrive; comments are skipped. */
export async function* readFrames(response: Response): AsyncGenerator<Frame> {
  const decoder = new TextDecoder();
  let buffered = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    buffered += decoder.decode(chunk, { stream: true });
    for (let end = buffered.indexOf('\n\n'); end !== -1; end = buffered.indexOf('\n\n')) {
      const lines = buffered.slice(0, end).split('\n');
      buffered = buffered.slice(end + 2);
      const id = lines.find((line) => line.startsWith('id: '))?.slice(4);
      const text = lines.find((line) => line.startsWith('data: '))?.slice(6);
      if (id !== undefined && text !== undefined) yield { id: Number(id), text, data: JSON.parse(text) };
    }
  }
}

export async function allFrames(response: Response): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readFrames(response)) frames.push(frame);
  return frames;
}

/** Reads `count` frames, then disconnects. */
export async function firstFrames(response: Response, count: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readFrames(response)) {
    frames.push(frame);
    if (frames.length === count) break;
  }
  return frames;
}

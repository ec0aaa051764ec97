// Samples of platform requests, as options of fetch.

import type { Sample } from '../../src/payloads/samples/sample.ts';

export function requestOf(sample: Sample): { method: 'POST'; headers: Record<string, string>; body: FormData | Uint8Array<ArrayBuffer> } {
  if ('body' in sample) {
    return { method: 'POST', headers: { 'content-type': sample.contentType }, body: new Uint8Array(sample.body) };
  }
  const body = new FormData();
  for (const { name, filename, contentType, bytes } of sample.parts) {
    const content = new Uint8Array(bytes);
    if (filename === null) body.append(name, new TextDecoder().decode(content));
    else body.append(name, new Blob([content], { type: contentType ?? '' }), filename);
  }
  return { method: 'POST', headers: {}, body };
}

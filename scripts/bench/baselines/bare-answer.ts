// What the baselines answer: about 150 bytes of JSON.

export interface Webhook {
  event: string;
  id: number;
  source: string;
}

export function bareAnswer({ event, id, source }: Webhook): object {
  return { received: true, event, id, source, message: 'Taken, and nothing but that was done with it.' };
}

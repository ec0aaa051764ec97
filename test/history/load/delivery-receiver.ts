// The receiver of the deliveries: usually well, sometimes slow, sometimes failing, as the nemesis wants.

import { setTimeout as after } from 'node:timers/promises';
import { startWebhookReceiver } from '../../support/webhook-receiver.ts';
import type { Random } from './random.ts';
import type { Recorder } from './recorder.ts';

export type Mood = 'well' | 'slow' | 'failing';

const FAILURES: Readonly<Record<Mood, number>> = { well: 0.15, slow: 0.3, failing: 1 };
const DELAYS_MS: Readonly<Record<Mood, number>> = { well: 30, slow: 1400, failing: 10 };

export interface DeliveryReceiver {
  url: string;
  setMood(mood: Mood): void;
}

export async function startDeliveryReceiver(recorder: Recorder, random: Random): Promise<DeliveryReceiver> {
  let mood: Mood = 'well';
  const receiver = await startWebhookReceiver({
    wait: () => after(random.between(0, DELAYS_MS[mood])),
    status({ key, headers, body, at }) {
      const status = random.chance(FAILURES[mood]) ? 503 : 200;
      const { marker } = JSON.parse(body) as { marker: string };
      recorder.arrive({ key, deliveryId: headers['webhook-id'] as string, marker, at, status });
      return status;
    },
  });
  return {
    url: receiver.url,
    setMood(next) {
      mood = next;
    },
  };
}

// Cooldowns of sinks: until when runs of a key are skipped.

import type { State } from '../state.ts';

export function isCooling(state: State, sinkId: string, key: string): boolean {
  return state.broken !== 'lost-cooldown' && (state.cooldowns.get(sinkId)?.get(key) ?? 0) > state.clock();
}

export function beginCooldown({ cooldowns, clock }: State, sinkId: string, key: string, seconds: number): void {
  const ofSink = cooldowns.get(sinkId) ?? new Map<string, number>();
  cooldowns.set(sinkId, ofSink.set(key, Math.ceil(clock() + seconds * 1000)));
}

export function endCooldowns({ cooldowns }: State, sinkId: string): void {
  cooldowns.delete(sinkId);
}

// The rules of overflow: of a `latest_wins` group one delivery is sent and one waits, which is newer; a `reject` group never
// has more than its limit, except deliveries that were retried by hand.

import type { StoredDelivery } from '../memory-storage/records.ts';
import type { World } from '../world.ts';

export class OverflowRules {
  readonly #world: World;
  readonly #retried = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  noteRetried(ids: readonly string[]): void {
    for (const id of ids) this.#retried.add(id);
  }

  check(): void {
    const groups = new Map<string, StoredDelivery[]>();
    for (const delivery of this.#world.state.openDeliveries) {
      if (delivery.overflow === null) continue;
      const { group } = delivery.overflow;
      groups.set(group, [...(groups.get(group) ?? []), delivery]);
    }
    for (const [group, open] of groups) this.#checkGroup(group, open);
  }

  #checkGroup(group: string, open: readonly StoredDelivery[]): void {
    const [first] = open;
    if (first?.overflow?.policy === 'latest_wins') return this.#checkLatest(group, open);
    const limit = first?.overflow?.policy === 'reject' ? first.overflow.limit : 0;
    const count = open.filter(({ id }) => !this.#retried.has(id)).length;
    if (count > limit) this.#world.fail('overflow: reject', `${count} deliveries of ${group} are open, and the limit is ${limit}`);
  }

  #checkLatest(group: string, open: readonly StoredDelivery[]): void {
    const sending = open.filter(({ status }) => status === 'sending');
    const waiting = open.filter(({ status }) => status === 'queued');
    const { fail } = this.#world;
    if (sending.length > 1 || waiting.length > 1)
      fail('overflow: latest_wins', `of ${group} ${sending.length} are being sent and ${waiting.length} wait`);
    const [[sent], [next]] = [sending, waiting];
    if (sent !== undefined && next !== undefined && next.no < sent.no)
      fail('overflow: latest_wins', `${next.id} waits behind ${sent.id}, which is newer`);
  }
}

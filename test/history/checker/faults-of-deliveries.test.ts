// Each fault of deliveries and definitions that is put into a right history is found.

import { expect, test } from 'vitest';
import { entriesOf, type FinalState, type History } from '../history.ts';
import { checkHistory } from './check-history.ts';
import { deliveryOf, type Fault, makeCase, ok } from './small-history.ts';

const FAULTS: Fault[] = [
  [
    'one message',
    'a message is sent under two keys',
    (found) => {
      const [first] = found.history.arrivals as [History['arrivals'][number]];
      found.history.arrivals.push({ ...first, key: `${first.key}-2` });
    },
  ],
  [
    'one message',
    'a run has two deliveries',
    ({ state }) => {
      const [first] = state.deliveries as [FinalState['deliveries'][number]];
      state.deliveries.push({ ...first, deliveryId: 'dlv_2' });
    },
  ],
  [
    'one message',
    'a message has the content of another run',
    ({ history }) => Object.assign(history.arrivals[0] as object, { marker: 'other' }),
  ],
  ['one message', 'a message of no stored delivery arrives', ({ state }) => state.deliveries.splice(0, 1)],
  ['finished deliveries', 'a run has sent nothing', ({ state }) => state.deliveries.splice(0, 1)],
  ['finished deliveries', 'a delivery never ends', (found) => Object.assign(deliveryOf(found, 'dead'), { status: 'queued' })],
  ['finished deliveries', 'an answer is recorded that was not given', ({ history }) => history.arrivals.splice(0, 1)],
  [
    'finished deliveries',
    'a delivery is delivered without an answer',
    (found) => Object.assign(deliveryOf(found, 'withdrawn'), { status: 'delivered' }),
  ],
  [
    'asked attempts',
    'a delivered message is sent again',
    ({ history }) => {
      const { at } = history.arrivals[2] as History['arrivals'][number];
      history.arrivals.push({ ...(history.arrivals[2] as History['arrivals'][number]), at: at + 1000 });
    },
  ],
  [
    'asked attempts',
    'a failed message is sent again without a retry',
    ({ history }) => {
      history.entries.splice(
        history.entries.findIndex(({ operation }) => operation === 'retry'),
        1,
      );
    },
  ],
  [
    'asked attempts',
    'the message of a cancelled run is sent',
    (found) => {
      const { deliveryId, runId } = deliveryOf(found, 'withdrawn');
      found.history.arrivals.push({ key: `${runId}:notify`, deliveryId, marker: 'withdrawn', at: 9999, status: 200 });
    },
  ],
  ['retries by hand', 'an acknowledged retry sends nothing', ({ history }) => history.arrivals.splice(2, 1)],
  [
    'retries by hand',
    'a delivered message is retried',
    (found) => {
      found.add('retry', { deliveryId: deliveryOf(found, 'delivered').deliveryId, isBulk: false }, ok({ retried: ['x'] }));
      Object.assign(found.last('readDelivery').asked, { deliveryId: deliveryOf(found, 'delivered').deliveryId });
      Object.assign(found.last('readDelivery').outcome, ok({ ...deliveryOf(found, 'delivered') }));
    },
  ],
  [
    'retries by hand',
    'the retry of a failed message is refused',
    ({ history }) => {
      const [retry] = entriesOf(history, 'retry');
      Object.assign(retry as object, { outcome: { kind: 'refused', status: 409, message: '' } });
    },
  ],
  ['lasting ends', 'a delivered message is lost', (found) => Object.assign(deliveryOf(found, 'dead'), { status: 'failed' })],
  [
    'lasting ends',
    'a delivered message is queued again',
    (found) => {
      found.add(
        'readDelivery',
        { deliveryId: deliveryOf(found, 'dead').deliveryId },
        ok({ ...deliveryOf(found, 'dead'), status: 'queued' }),
      );
    },
  ],
  ['explained versions', 'an acknowledged edit is lost', ({ state }) => state.editions['slow']?.pop()],
  ['explained versions', 'an edit is two versions', ({ state }) => state.editions['slow']?.push('third')],
  ['explained versions', 'a refused edit is a version', ({ state }) => state.editions['slow']?.push('stale')],
  [
    'explained versions',
    'an edit for one version is applied to another',
    ({ history }) => Object.assign(entriesOf(history, 'edit')[1]?.asked as object, { base: 1 }),
  ],
  [
    'current versions',
    'a read sees an older version than was acknowledged',
    ({ last }) => Object.assign(last('readWorkflow').outcome, ok({ version: 2, edition: 'second' })),
  ],
  [
    'current versions',
    'a run uses another edition than its version',
    ({ run }) => Object.assign(run('slow').output as object, { last_edition: 'third' }),
  ],
  [
    'current versions',
    'a run uses a version that was not asked for yet',
    ({ run }) => {
      Object.assign(run('slow'), { version: 2, output: { edition: 'second', last_edition: 'second' } });
    },
  ],
  [
    'stale edits',
    'an edit of the current version is refused as stale',
    (found) => {
      found.add('edit', { workflow: 'slow', edition: 'new', base: 3 }, { kind: 'refused', status: 412, message: '' });
    },
  ],
];

test.each(FAULTS)('%s: %s', (rule, _fault, spoil) => {
  const found = makeCase();
  spoil(found);
  expect(checkHistory(found.history, found.state).map((violation) => violation.rule)).toContain(rule);
});

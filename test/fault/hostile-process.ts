// Hostile receivers in a process of their own, one for each way to misbehave, so that what they pour out is not poured out
// by the process that measures. Usage: node --import tsx test/fault/hostile-process.ts <behaviour>…

import { startReceiver } from '../delivery/hostile-receiver.ts';

const receivers = await Promise.all(
  process.argv.slice(2).map(async (behaviour) => ({ behaviour, receiver: await startReceiver(undefined, () => undefined) })),
);

/** Tells the parent where they are and how many requests each has had; again whenever it is asked. */
function report(): void {
  process.send?.(
    receivers.map(({ behaviour, receiver: { url, requests } }) => ({ url: `${url}/${behaviour}`, behaviour, requests: requests.length })),
  );
}

process.on('message', report);
process.on('disconnect', () => process.exit());
report();

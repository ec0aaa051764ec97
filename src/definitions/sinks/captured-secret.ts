// The secret of a sink that its provider brings with a first request: kept once, shown once, never replaced by another request.

import type { Clock } from '../../clock.ts';
import type { SchemeAuth, StoredSecret } from '../../core/sink/auth/scheme-auth.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { AppError } from '../../errors.ts';
import type { Catalog } from '../catalog.ts';
import type { DefinitionWriter } from '../definition-writer.ts';
import type { CredentialContext } from './credential-faults.ts';

interface Context {
  writer: Pick<DefinitionWriter, 'change'>;
  catalog: Pick<Catalog, 'findSink'>;
  credentials: Pick<CredentialContext, 'sealer'>;
  clock: Clock;
}

/** To be called within `serially`. */
export async function captureSecret({ writer, catalog, credentials, clock }: Context, sinkId: string, secret: string): Promise<void> {
  const sink = catalog.findSink(sinkId);
  if (sink?.auth.type !== 'scheme') throw new AppError('not_found', `there is no sink "${sinkId}" that takes a secret from its sender`);
  if (sink.auth.secrets.length > 0)
    throw new AppError('forbidden', 'the sink has its secret already, and another request cannot replace it');
  await store({ writer, clock }, sink, sink.auth, [
    { name: 'captured', endsAt: null, sealed: credentials.sealer.seal(secret), captured: 'unseen' },
  ]);
}

/** To be called within `serially`. */
export async function revealCapturedSecret(
  { writer, catalog, credentials, clock }: Context,
  appId: string,
  sinkId: string,
): Promise<string> {
  const sink = catalog.findSink(sinkId);
  const captured = sink?.auth.type === 'scheme' ? sink.auth.secrets.find((secret) => secret.captured !== undefined) : undefined;
  if (sink?.appId !== appId || sink.auth.type !== 'scheme' || captured === undefined)
    throw new AppError('not_found', `sink "${sinkId}" of app "${appId}" has no secret that its sender brought`);
  if (captured.captured === 'seen') throw new AppError('conflict', 'the secret was shown before, and is shown once only');
  const secret = credentials.sealer.open(captured.sealed);
  const secrets = sink.auth.secrets.map((stored) => (stored === captured ? { ...stored, captured: 'seen' as const } : stored));
  await store({ writer, clock }, sink, sink.auth, secrets);
  return secret;
}

async function store(
  { writer, clock }: Pick<Context, 'writer' | 'clock'>,
  sink: Sink,
  auth: SchemeAuth,
  secrets: StoredSecret[],
): Promise<void> {
  await writer.change({ kind: 'put_sink', sink: { ...sink, auth: { ...auth, secrets }, updatedAt: clock() } });
}

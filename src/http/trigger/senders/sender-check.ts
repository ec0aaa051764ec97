// Checks one request of a sink with a scheme: that its sender is proven, and whether it is a handshake. It begins with the head,
// sees every byte of the body as it came, and ends before any run exists.

import type { IncomingMessage } from 'node:http';
import type { SchemeAuth } from '../../../core/sink/auth/scheme-auth.ts';
import type { BodySetting } from '../../../core/sink/body-setting.ts';
import type { SinkLimits } from '../../../core/sink/limits/size-limits.ts';
import { SINK_METHODS, type Sink } from '../../../core/sink/sink.ts';
import type { DefinitionService } from '../../../definitions/definition-service.ts';
import { AppError } from '../../../errors.ts';
import { answerHandshake, isHandshake, needsBody, possibleHandshakes, type ReadyAnswer } from '../../../presets/handshakes.ts';
import { type SeenRequest, textAt } from '../../../presets/place.ts';
import type { Handshake, Place } from '../../../presets/preset.ts';
import { isRefusal, type ProofHead, type Proving, type Refusal, type Signed, type Verdict } from '../../../presets/proofs/proof.ts';
import { type FetchText, Unreachable } from '../../../presets/remote/fetch-text.ts';
import type { Seen } from '../../body/body-bytes.ts';
import { type FailedCredentials, unauthorized } from '../../limits/failed-credentials.ts';
import type { TriggerTarget } from '../trigger-target.ts';
import type { CredentialUses } from './credential-uses.ts';
import type { OpenedScheme } from './open-scheme.ts';

/** What the checks of all requests share. */
export interface SenderTools {
  uses: CredentialUses;
  failures: FailedCredentials;
  definitions: Pick<DefinitionService, 'captureSecret'>;
  /** For handshakes that ask for it. */
  fetchText: FetchText;
}

export interface CheckedRequest {
  target: Pick<TriggerTarget, 'sink' | 'clientIp'>;
  auth: SchemeAuth;
  opened: OpenedScheme;
  head: ProofHead;
}

const NONE: readonly Handshake[] = [];

/** A body that must be read before its sender is proven, for a handshake, is small. */
const MAX_UNPROVEN_BYTES = 65_536;

export class SenderCheck {
  readonly #tools: SenderTools;
  readonly #request: CheckedRequest;
  readonly #begun: Proving | Refusal;
  /** Handshakes that the request may be. */
  readonly #handshakes: readonly Handshake[];
  #raw: IncomingMessage | null = null;
  #verdict: Verdict | Promise<Verdict> | null = null;
  #handshake: { answer: ReadyAnswer; startsRun: boolean } | null = null;
  #signed: Signed | null = null;

  /** Throws `unauthorized` or `rate_limited`. `now` is wall time in ms. */
  constructor(tools: SenderTools, request: CheckedRequest, now: number) {
    this.#tools = tools;
    this.#request = request;
    const { opened, head, target } = request;
    const { preset } = opened.scheme;
    this.#begun = opened.verifier.begin(head, now);
    const possible = preset === null || preset.handshakes.length === 0 ? NONE : possibleHandshakes(preset, head, methodsOf(target.sink));
    this.#handshakes = isRefusal(this.#begun) ? possible.filter(({ isSigned }) => !isSigned) : possible;
    if (isRefusal(this.#begun) && this.#handshakes.length === 0) throw this.#refuse(this.#begun);
  }

  /** The place in the body where the sender puts its secret; null for none. */
  get secretPlace(): Place | null {
    return this.#request.opened.secretPlace;
  }

  /** The answer to a handshake that needs neither proof nor body; null for any other request. */
  answerHead(): ReadyAnswer | null {
    const found = this.#handshakes.find((handshake) => !handshake.isSigned && handshake.kind !== 'capture-secret' && !needsBody(handshake));
    return found === undefined ? null : this.#answer(found, undefined);
  }

  /** The limits within which the body is read. */
  limits(limits: SinkLimits): SinkLimits {
    if (!isRefusal(this.#begun)) return limits;
    const { bodyBytes, formBytes } = limits;
    return { ...limits, bodyBytes: Math.min(bodyBytes, MAX_UNPROVEN_BYTES), formBytes: Math.min(formBytes, MAX_UNPROVEN_BYTES) };
  }

  /** How the body is read. */
  bodySetting(ofSink: BodySetting): BodySetting {
    return ofSink === 'auto' ? (this.#request.opened.scheme.preset?.body ?? ofSink) : ofSink;
  }

  /** Must be called before the body is read. Returns the function that must see its bytes as they come; null for none. */
  watch(raw: IncomingMessage): Seen | null {
    this.#raw = raw;
    return isRefusal(this.#begun) ? null : this.#begun.update;
  }

  /**
   * Must be called once the body has been read, and before any of its files is published. `body` is decoded; undefined when it
   * is too large to decode at once. `bytes` are those of a body that is stored as text. Rejects with `unauthorized`, with
   * `forbidden` for a handshake that fails, and with `unavailable` when the keys of the sender cannot be fetched.
   */
  finish(body: unknown, bytes: Uint8Array | undefined): Promise<void> | undefined {
    const { method, headers, query } = this.#request.head;
    const request = { method, headers, query, body, bytes };
    const handshake = this.#handshakes.length === 0 ? undefined : this.#handshakeOf(request);
    if (handshake !== undefined) return this.#finishHandshake(handshake, request);
    const verdict = this.#verify(request);
    // Not async: most proofs are finished at once, and every promise costs every request.
    if (verdict instanceof Promise) return verdict.then((later) => this.#accept(later));
    this.#accept(verdict);
    return undefined;
  }

  async #finishHandshake(handshake: Handshake, request: SeenRequest): Promise<void> {
    if (handshake.isSigned) this.#accept(await this.#verify(request));
    if (handshake.fetch !== undefined) await this.#fetch(textAt(handshake.fetch, request) as string);
    const answer = this.#answer(handshake, request.body);
    if (handshake.store !== undefined) await this.#capture(textAt(handshake.store, request) as string);
    this.#handshake = { answer, startsRun: handshake.startsRun === true };
  }

  /** Set by `finish` when the request is a handshake. */
  get handshake(): { answer: ReadyAnswer; startsRun: boolean } | null {
    return this.#handshake;
  }

  /** What the proof binds together, if the scheme names it itself. */
  get signed(): Signed | null {
    return this.#signed;
  }

  /** The error to answer with when the body could not be read: an unproven sender learns only that it is unproven. */
  async explain(error: unknown): Promise<unknown> {
    if (!(error instanceof AppError) || error.code === 'too_large' || error.code === 'unavailable') return error;
    if (error.code === 'unauthorized' || error.code === 'rate_limited' || error.code === 'forbidden') return error;
    if (!isRefusal(this.#begun) && this.#raw?.complete !== true) return error;
    const verdict = await this.#verify(this.#request.head);
    return verdict.isProven ? error : this.#refuse(verdict);
  }

  #handshakeOf(request: SeenRequest): Handshake | undefined {
    const found = this.#handshakes.filter((handshake) => isHandshake(handshake, request));
    return found.find(({ isSigned }) => !isSigned) ?? found[0];
  }

  #verify(request: SeenRequest): Verdict | Promise<Verdict> {
    this.#verdict ??= isRefusal(this.#begun) ? this.#begun : finishProof(this.#begun, request);
    return this.#verdict;
  }

  #accept(verdict: Verdict): void {
    if (!verdict.isProven) throw this.#refuse(verdict);
    const { auth, target } = this.#request;
    const secret = auth.secrets[verdict.secret];
    if (secret !== undefined) this.#tools.uses.record(target.sink.id, secret.sealed);
    this.#signed = verdict.signed ?? null;
  }

  #refuse({ kind, reason }: Refusal): AppError {
    const { auth, target } = this.#request;
    return this.#tools.failures.refuse(target.clientIp, unauthorized(kind, reason, `Webhook realm="sluice", scheme="${auth.scheme}"`));
  }

  #capture(secret: string): Promise<void> {
    return this.#tools.definitions.captureSecret(this.#request.target.sink.id, secret);
  }

  async #fetch(url: string): Promise<void> {
    try {
      await this.#tools.fetchText(url);
    } catch (error) {
      throw unavailable(`the handshake could not be completed at ${new URL(url).host}: ${(error as Error).message}`);
    }
  }

  #answer(handshake: Handshake, body: unknown): ReadyAnswer {
    const { head, opened } = this.#request;
    const outcome = answerHandshake(handshake, { ...head, body }, opened.known);
    if (outcome.kind === 'refused')
      throw new AppError('forbidden', `the handshake is refused: ${outcome.reason}`, { reason: 'handshake_failed' });
    return outcome.answer;
  }
}

/** Most proofs are finished at once. */
function finishProof(proving: Proving, request: SeenRequest): Verdict | Promise<Verdict> {
  const verdict = proving.finish(request);
  if (!(verdict instanceof Promise)) return verdict;
  return verdict.catch((error: unknown) => {
    throw error instanceof Unreachable ? unavailable(error.message) : error;
  });
}

function methodsOf({ method }: Sink): readonly string[] {
  return method === 'ANY' ? SINK_METHODS : [method];
}

function unavailable(message: string): AppError {
  return new AppError('unavailable', message, { retryAfterSeconds: 30 });
}

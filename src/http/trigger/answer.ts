// Answers a trigger whose run is on disk: as a stream, as one document, at once, or with the answer of the sink or of a step.

import type { FastifyReply } from 'fastify';
import { parseJson, stringifyJson } from '../../core/json/json.ts';
import { answerOf } from '../../core/run/run-answer.ts';
import type { RunOutcome } from '../../core/run/run-event.ts';
import { LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import { encodeLocation } from '../../core/sink/response/answer-headers.ts';
import { type AcceptResponse, type Answer, type AnswerContent, isPageWanted } from '../../core/sink/response/response-mode.ts';
import type { Dispatched } from '../../engine/dispatch/trigger.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { StepRecord } from '../../storage/runs/run-records.ts';
import type { Storage } from '../../storage/storage.ts';
import type { MaskSecrets } from '../admin/shown-secrets.ts';
import type { EventStreams } from '../streams/event-streams.ts';
import { readLastEventId } from '../streams/last-event-id.ts';
import { REPLAYED, resumeStream } from '../streams/resume-stream.ts';
import type { RunWait, WaitForRun } from '../streams/run-waiter.ts';
import type { StoredRead, StoredReads } from '../streams/stored-reads.ts';
import { formatFrame, streamHeaders } from '../streams/stream-format.ts';
import { MAX_UNSENT_BYTES, type UnsentAnswers } from '../streams/unsent-answers.ts';
import { type CustomAnswer, compileResponse, stepAnswer } from './custom-answer.ts';
import { sendReceived } from './forms/form-answer.ts';
import { echoedHead, type TriggerInput } from './trigger-input.ts';

export interface AnswerTools {
  storage: Pick<Storage, 'findStream'>;
  streams: EventStreams;
  reads: Pick<StoredReads, 'release'>;
  waitForRun: WaitForRun;
  renderLarge: Engine['renderLarge'];
  unsent: UnsentAnswers;
  maskSecrets: MaskSecrets;
}

/** A run that has ended, or has answered. */
type SeenRun = RunOutcome & { steps: readonly StepRecord[] };

const UNFINISHED: RunOutcome = { status: 'running', output: null, error: null };

export class TriggerAnswers {
  readonly #storage: AnswerTools['storage'];
  readonly #streams: EventStreams;
  readonly #reads: AnswerTools['reads'];
  readonly #waitForRun: WaitForRun;
  readonly #renderLarge: AnswerTools['renderLarge'];
  readonly #unsent: UnsentAnswers;
  readonly #maskSecrets: MaskSecrets;

  constructor({ storage, streams, reads, waitForRun, renderLarge, unsent, maskSecrets }: AnswerTools) {
    this.#storage = storage;
    this.#streams = streams;
    this.#reads = reads;
    this.#waitForRun = waitForRun;
    this.#renderLarge = renderLarge;
    this.#unsent = unsent;
    this.#maskSecrets = maskSecrets;
  }

  /** `input` may be null unless `mayUseRequest`. */
  send(reply: FastifyReply, answer: Answer, run: Dispatched, input: TriggerInput | null): Promise<void> | undefined {
    if (run.ended?.status === 'cancelled') return this.#refuseDropped(reply, run.runId, run.ended);
    if (answer.response.mode !== 'stream') return this.#answerOnce(reply, answer, run, input);
    if (run.isDuplicate) return this.#joinStream(reply, run.runId);
    this.#stream(reply, run);
    return undefined;
  }

  /** Answers a request that started a run for each item of a list. The answer is sent at once. */
  async sendForAll(reply: FastifyReply, { response }: Answer, runs: readonly Dispatched[], input: TriggerInput): Promise<void> {
    if (runs.length > 0 && runs.every(({ isDuplicate }) => isDuplicate)) reply.header(...REPLAYED);
    const isDropped = ({ ended }: Dispatched): boolean => ended?.status === 'cancelled';
    const statuses = runs.map((run) => ({ run_id: run.runId, status: isDropped(run) ? 'cancelled' : 'queued' }));
    // An answer of the sink's own could not tell which ones were dropped.
    if (runs.some(isDropped)) return void reply.code(runs.every(isDropped) ? 409 : 202).send({ runs: statuses });
    if (response.mode === 'redirect') return void reply.redirect(encodeLocation(response.location), 303);
    if (response.mode === 'accept' && response.content !== undefined) {
      const { headers, body } = await this.#ownAnswer(reply, response.content, null, 'null', input);
      return void reply.code(response.status).headers(headers).send(body);
    }
    const status = response.mode === 'accept' ? response.status : 202;
    reply.code(status).send({ runs: statuses });
  }

  /** 409 tells a sender, whatever answer it wishes for, that its request was not processed, and that repeating it at once is no use. */
  #refuseDropped(reply: FastifyReply, runId: string, ended: RunOutcome): undefined {
    reply.code(409).header('x-run-id', runId).header('content-type', 'application/json; charset=utf-8');
    reply.send(outcomeDocument(runId, ended));
  }

  #stream(reply: FastifyReply, { runId, events, ended, isQueued }: Dispatched): void {
    reply.hijack();
    const { raw } = reply;
    let frames = '';
    for (const event of events) frames += formatFrame(runId, event);
    if (frames.length > MAX_UNSENT_BYTES) {
      // A large stream is read back from storage, where large reads follow one another.
      raw.writeHead(200, streamHeaders(runId));
      this.#streams.follow(raw, runId, 0);
    } else if (ended !== null) {
      // The stream is complete: with its length known, head and frames leave in one write.
      raw.writeHead(200, streamHeaders(runId, Buffer.byteLength(frames)));
      this.#unsent.end(raw, frames);
    } else {
      raw.writeHead(200, streamHeaders(runId));
      raw.write(frames);
      // Unless it is queued, the run was stored in this turn of the event loop, so no later event can be stored yet.
      this.#streams.follow(raw, runId, events.at(-1)?.seq ?? 0, !isQueued);
    }
  }

  /** Streams the run that an earlier request with the same key started. */
  async #joinStream(reply: FastifyReply, runId: string): Promise<void> {
    const after = readLastEventId(reply.request) ?? 0;
    const position = after === 0 ? null : await this.#storage.findStream(runId);
    resumeStream(reply, this.#streams, { runId, after, position, isRepeated: true });
  }

  async #answerOnce(reply: FastifyReply, answer: Answer, run: Dispatched, input: TriggerInput | null): Promise<void> {
    const { response, preferenceApplied, afterWait } = answer;
    const { runId } = run;
    reply.header('x-run-id', runId);
    if (run.isDuplicate) reply.header(...REPLAYED);
    if (preferenceApplied !== null) reply.header('preference-applied', preferenceApplied);
    if (response.mode === 'accept') return await this.#accept(reply, response, runId, input);
    if (response.mode === 'redirect') return void reply.redirect(encodeLocation(response.location), 303);
    if (response.mode === 'form') {
      if (isPageWanted(reply.request.raw.headers)) return sendReceived(reply, response, runId);
      return await this.#accept(reply, afterWait, runId, input);
    }
    const until = response.mode === 'respond' ? 'answer' : 'end';
    // The run is stored in any case, so an outcome that cannot be sent now can be looked up later.
    const seen = await this.#awaitRun(reply, run, until, answer.waitMs).catch(nullIfUnavailable);
    if (seen === null) return await this.#accept(reply, afterWait, runId, input);
    if (until === 'answer') return await this.#answerByStep(reply, answer, runId, seen, input);
    const { value: outcome, reservedBytes } = seen;
    if (response.mode === 'custom' && outcome.status === 'completed' && input !== null) {
      const { status, headers, body } = await this.#ownAnswer(reply, response, runId, outcome.output ?? 'null', input);
      return this.#unsent.send(reply.code(status).headers(headers), body, reservedBytes);
    }
    this.#sendOutcome(reply, runId, seen);
  }

  /** Resolves to null when the wait is over first. */
  async #awaitRun(reply: FastifyReply, run: Dispatched, until: RunWait['until'], waitMs: number): Promise<StoredRead<SeenRun> | null> {
    const { runId, ended } = run;
    const given = until === 'answer' ? run.answer : null;
    const value = ended ?? (given === null ? null : { ...UNFINISHED, steps: [given] });
    const text = given === null ? value?.output : given.outputs;
    if (value !== null && (text?.length ?? 0) <= MAX_UNSENT_BYTES) return { value, reservedBytes: 0 };
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return await this.#waitForRun({ runId, until, waitMs, gone: gone.signal });
  }

  /** A run that failed before it answered is 502. */
  async #answerByStep(
    reply: FastifyReply,
    { unanswered }: Answer,
    runId: string,
    seen: StoredRead<SeenRun>,
    input: TriggerInput | null,
  ): Promise<void> {
    const { value, reservedBytes } = seen;
    const given = answerOf(value.steps, (text) => this.#maskSecrets(runId, text));
    if (given !== null) {
      const { status, headers, body } = stepAnswer(given);
      return this.#unsent.send(reply.code(status).headers(headers), body, reservedBytes);
    }
    if (unanswered === null || value.status !== 'completed') return this.#sendOutcome(reply, runId, seen);
    this.#reads.release(reservedBytes);
    await this.#accept(reply, unanswered, runId, input);
  }

  #sendOutcome(reply: FastifyReply, runId: string, { value: outcome, reservedBytes }: StoredRead<RunOutcome>): void {
    reply.code(outcome.status === 'completed' ? 200 : 502).header('content-type', 'application/json; charset=utf-8');
    this.#unsent.send(reply, outcomeDocument(runId, outcome), reservedBytes);
  }

  /** Answers at once: the run goes on. */
  async #accept(reply: FastifyReply, { status, content }: AcceptResponse, runId: string, input: TriggerInput | null): Promise<void> {
    if (content === undefined || input === null) {
      reply.code(status).header('location', `/runs/${runId}`).send({ run_id: runId, status: 'queued' });
      return;
    }
    const { headers, body } = await this.#ownAnswer(reply, content, runId, 'null', input);
    reply.code(status).headers(headers).send(body);
  }

  /** The template may select `$output.x`, `$run.id` and `$request.…`. `output` is JSON text. */
  async #ownAnswer(
    reply: FastifyReply,
    content: AnswerContent,
    runId: string | null,
    output: string,
    { head, body, request, reading }: TriggerInput,
  ): Promise<CustomAnswer> {
    const compiled = compileResponse(content);
    const { template, usesRequest, usesBody } = compiled;
    const seen = usesRequest ? echoedHead(reply.request, request ?? head) : null;
    if ((request !== null || !usesBody) && output.length <= LARGE_RUN_BYTES)
      return compiled.make(compiled.render({ output: parseJson(output), run: { id: runId }, request: seen }));
    const roots = `{"output":${output},"run":{"id":${JSON.stringify(runId)}}}`;
    return compiled.make(parseJson(await this.#renderLarge({ head: seen ?? head, body, reading, template, roots })));
  }
}

function nullIfUnavailable(error: unknown): null {
  if (error instanceof AppError && error.code === 'unavailable') return null;
  throw error;
}

/** `{"run_id","status","output"|"error"}` as JSON text. The stored output is inserted without parsing. */
function outcomeDocument(runId: string, { status, output, error }: RunOutcome): string {
  const result = error === null ? `"output":${output ?? 'null'}` : `"error":${stringifyJson(error)}`;
  return `{"run_id":${JSON.stringify(runId)},"status":"${status}",${result}}`;
}

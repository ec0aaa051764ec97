// Lets a body through that fits the schema of its sink: before its files are stored if it has some, and before a run exists.

import { checkBody } from '../../core/json-schema/check-body.ts';
import type { BodySchema } from '../../core/sink/schema-setting.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { FormExamination } from './forms/form-guard.ts';
import type { SenderCheck } from './senders/sender-check.ts';
import type { InputCheck, TriggerInput } from './trigger-input.ts';

interface ExaminationTools {
  engine: Pick<Engine, 'checkLarge'>;
  form: FormExamination | null;
  sender: Pick<SenderCheck, 'handshake'> | null;
}

/** For one request. */
export class SchemaExamination implements InputCheck {
  readonly #schema: BodySchema;
  readonly #tools: ExaminationTools;
  #isChecked = false;

  constructor(schema: BodySchema, tools: ExaminationTools) {
    this.#schema = schema;
    this.#tools = tools;
  }

  /** Examines a form too. Rejects as `check` does. */
  async examine(received: TriggerInput): Promise<boolean> {
    const { form, sender } = this.#tools;
    if (form !== null && !(await form.examine(received))) return false;
    if (sender?.handshake?.startsRun !== false) await this.check(form === null ? received : (await form.finish(received)).input);
    return true;
  }

  /** Checks once. Rejects with `unprocessable` and every fault, or `unsupported_media` for a body that is a file. */
  async check({ body, request, reading }: TriggerInput): Promise<void> {
    if (this.#isChecked) return;
    this.#isChecked = true;
    if (body.kind === 'file')
      throw new AppError(
        'unsupported_media',
        'this sink checks bodies against a schema, and reads JSON, forms and text; send "Content-Type: application/json"',
      );
    if (request === null) return await this.#tools.engine.checkLarge({ body, reading }, this.#schema);
    checkBody(this.#schema, { value: request.body, kind: body.kind, size: body.bytes.byteLength });
  }
}

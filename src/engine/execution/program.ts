// A run that the engine advances: an execution in this thread, or a large run in a thread of its own.

import type { RunError } from '../../core/run/run.ts';
import type { Images } from '../../core/uql/image.ts';
import type { EffectResult } from '../../steps/step-type.ts';

export interface Program {
  /** Deliveries that steps wait for. */
  readonly awaited: number;
  /** Sets the result of a step's delivery or local effect, for the next turn. */
  giveResult(step: string, result: EffectResult): void;
  giveImages(step: string, images: Images): void;
  /** Fails the run at once. */
  abort(error: RunError): void;
}

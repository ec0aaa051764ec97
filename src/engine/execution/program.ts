// What the engine advances a run by: an execution in this thread, or one of a large run in a thread of its own.

import type { RunError } from '../../core/run/run.ts';
import type { Images } from '../../core/uql/image.ts';
import type { EffectResult } from '../../steps/step-type.ts';

export interface Program {
  /** Deliveries that steps wait for. */
  readonly awaited: number;
  /** Takes in what came of a step's delivery or local effect, for the next turn. */
  giveResult(step: string, result: EffectResult): void;
  giveImages(step: string, images: Images): void;
  /** Ends the run at once, as failed. */
  abort(error: RunError): void;
}

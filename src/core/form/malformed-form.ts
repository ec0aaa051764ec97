// The refusal of a multipart form that cannot be taken apart without losing something of it.

import { AppError } from '../../errors.ts';

export class MalformedForm extends AppError {
  /** What is wrong, without saying of what. */
  readonly why: string;

  /** `part` is the name of the part that is at fault, or its place in the form, as `part 2`. */
  constructor(why: string, part?: string) {
    super('invalid', `the multipart form is malformed: ${why}`, part === undefined ? {} : { details: { part } });
    this.why = why;
  }
}

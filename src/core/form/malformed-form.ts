// The error for a multipart form that cannot be parsed without loss.

import { AppError } from '../../errors.ts';

export class MalformedForm extends AppError {
  /** The end of a sentence whose subject is the form. */
  readonly why: string;

  /** `part` is the name of the faulty part, or its number, as `part 2`. */
  constructor(why: string, part?: string) {
    super('invalid', `the multipart form is malformed: ${why}`, part === undefined ? {} : { details: { part } });
    this.why = why;
  }
}

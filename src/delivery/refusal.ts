// A message that is not sent: the address policy forbids it, or it cannot be put on the wire.

/** The message is one line, fit for whoever wrote the step: it names what is wrong, and holds no values. */
export class Refusal extends Error {}

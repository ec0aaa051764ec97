// The error for a message that is not sent: the address policy forbids it, or it cannot be put on the wire.

/** The text is one line for the author of the step: it names the fault, and holds no values. */
export class Refusal extends Error {}

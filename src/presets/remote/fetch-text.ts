// The outbound connection of verifiers, which fetch certificates and key sets. The caller makes it: presets/ opens none.

/** A GET without redirects, within limits of time and size. Rejects with an Error whose text is one line for the operator. */
export type FetchText = (url: string) => Promise<string>;

/** The key of the sender cannot be fetched, so that it can be neither proven nor refused. The text tells why. */
export class Unreachable extends Error {}

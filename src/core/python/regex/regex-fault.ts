// The fault of a regular expression that is invalid or cannot run in linear time.

export class RegexFault extends Error {}

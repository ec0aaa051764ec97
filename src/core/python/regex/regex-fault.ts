// A regular expression that is not valid, or that cannot be run in linear time.

export class RegexFault extends Error {}

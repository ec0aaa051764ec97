// A provider of webhooks as data: how it proves its requests, how it delivers them, which handshakes it makes, and which
// answer it expects. The rows are in table/.

/**
 * A value of a request: `header:x-github-event`, `query:hub.challenge`, `body:event.id`. A name of the query may contain dots.
 * In a path of the body, a number is an index of a list, and `*` stands for every item of one.
 */
export type Place = `header:${string}` | `query:${string}` | `body:${string}`;

export type Encoding = 'hex' | 'hex-upper' | 'base64' | 'base64url';

/**
 * How a secret becomes a key: `utf8`, `hex` and `base64` name its encoding, `whsec` is base64 after an optional `whsec_`.
 * Public keys: `ed25519-hex` and `ed25519-base64` are the raw 32 bytes, `spki` is base64 of DER or a PEM.
 */
export type KeyEncoding = 'utf8' | 'hex' | 'base64' | 'whsec' | 'ed25519-hex' | 'ed25519-base64' | 'spki';

export interface TimestampSource {
  /** `field:t` is an item of the signature's own header; `first` is that header's first item. */
  from: Place | `field:${string}` | 'first';
  unit: 's' | 'ms' | 'rfc3339';
}

/** The signature's place in a header with several items: `t=1700000000,v1=5257a8…`. */
export interface SignatureList {
  separator: string;
  /** Between an item's key and its value. Absent where items have no keys: every item may be the signature. */
  assign?: string;
  /** The key of signatures; there may be several. */
  key?: string;
}

/** The provider signs each request. */
export interface SignatureProof {
  kind: 'signature';
  algorithm: 'hmac-sha1' | 'hmac-sha256' | 'hmac-sha512' | 'ed25519' | 'ecdsa-sha256' | 'rsa-sha256';
  /** Of the signature. */
  header: string;
  /** Text before the signature. */
  prefix?: string;
  list?: SignatureList;
  encoding: Encoding;
  key: KeyEncoding;
  /**
   * The signed bytes. Terms: `{body}` (the raw bytes), `{timestamp}` and `{id}` (their text in the request), `{method}`,
   * `{url}` (the public URL with its query), `{hubspot_url}` (the same, decoded as HubSpot does).
   */
  signed: string;
  /** Absent where the provider signs no time. */
  timestamp?: TimestampSource;
  /** How far the time may be from the server's, in either direction. */
  toleranceSeconds?: number;
  /** Other names of the headers, which the provider sends instead. */
  aliases?: readonly { header: string; timestamp?: TimestampSource; deliveryId?: Place }[];
  /** A second scheme for secrets that begin with `secretPrefix`, with signatures of its own key in the same header. */
  asymmetric?: { secretPrefix: string; key: string };
}

/** The provider sends a shared secret, which is compared in constant time. */
export interface EqualProof {
  kind: 'equal';
  place: Place;
}

/** HTTP Basic authentication (RFC 7617); a secret is `user:password`. */
export interface BasicProof {
  kind: 'basic';
}

export type JwtAlgorithm = 'HS256' | 'HS384' | 'HS512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA';

/** A JSON Web Token in a header (RFC 7519). Unless a claim binds it to the body, it must have an end. */
export interface JwtProof {
  kind: 'jwt';
  header: string;
  /** Before the token; its case does not matter. */
  prefix?: string;
  /** All of HMAC, or all of public keys. */
  algorithms: readonly JwtAlgorithm[];
  /** Where the public keys are published. Absent: the secrets of the sink are the keys. */
  jwks?: string;
  /**
   * Required claims. `{body-sha256-hex}` and `{body-sha256-base64}` bind the token to the body, `{url}` is the public URL with or
   * without its query, `{x}` is setting `x` of the sink, and `{x|url}` is the URL unless the setting is given.
   */
  claims: Readonly<Record<string, string | boolean | readonly string[]>>;
}

/** A scheme that needs code: the file of this name in schemes/. */
export interface CodeProof {
  kind: 'code';
  scheme: 'twilio' | 'mandrill' | 'mailgun' | 'adyen' | 'aws-sns' | 'paypal';
}

export type Proof = SignatureProof | EqualProof | BasicProof | JwtProof | CodeProof;

/** Values that a request must have: exactly this text or number, or any text (`*`). */
export type Conditions = Readonly<Partial<Record<Place | 'content-type', string | number>>>;

/**
 * The body and headers of an answer are templates. Terms: a place (`{body:challenge}`), `{hmac-sha256-hex:PLACE}` and
 * `{hmac-sha256-base64:PLACE}` (by the first secret).
 */
export interface HandshakeAnswer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** Sent as text/plain. */
  text?: string;
  /** Sent as application/json; templates in its strings. */
  json?: Readonly<Record<string, string | number>>;
}

export type HandshakeKind =
  | 'acknowledge'
  | 'answer'
  | 'echo-body'
  | 'echo-query'
  | 'echo-header'
  | 'hmac-answer'
  | 'options'
  | 'fetch-url'
  | 'capture-secret';

/** A request that asks for an answer and starts no run. */
export interface Handshake {
  kind: HandshakeKind;
  /** Absent: the method of the sink. */
  method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST';
  when: Conditions;
  /** The request proves its sender as every other one does. */
  isSigned: boolean;
  /** The value must equal this secret setting of the sink; otherwise 403. */
  compare?: { place: Place; setting: string };
  /** `capture-secret`: where the secret is. */
  store?: Place;
  /** `fetch-url`: the address to fetch. The proof covers it, and has checked its host. */
  fetch?: Place;
  /** The request also starts a run. */
  startsRun?: true;
  answer: HandshakeAnswer;
}

/** A setting of the sink's `auth` besides its secrets. `list`: of texts. */
export interface PresetSetting {
  name: string;
  kind: 'secret' | 'text' | 'list' | 'number';
  isRequired: boolean;
  /** All values that are allowed. */
  choices?: readonly string[];
  description: string;
}

/** `primary`: the provider's own page or source was seen; `secondary`: only text or code of others; `memory`: nothing. */
export type Certainty = 'primary' | 'secondary' | 'memory';

export interface Preset {
  /** The value of `auth.type`. */
  id: string;
  name: string;
  proof: Proof;
  /** Names a delivery, also when it is sent again. Null where the provider sends no id for one. */
  deliveryId: Place | null;
  eventType: Place | null;
  /** How bodies are read whatever their content type, unless the sink says so itself. */
  body?: 'json';
  handshakes: readonly Handshake[];
  /** For a request that starts a run. `withinSeconds`: the provider's own limit, null where it is unknown. */
  answer: { status: 200 | 202 | 204; text?: string; withinSeconds: number | null };
  /** Who chooses the secret; `none` where there is none. */
  secretFrom: 'operator' | 'provider' | 'either' | 'none';
  settings?: readonly PresetSetting[];
  certainty: Certainty;
  /** Fields of the row that nobody confirmed. */
  unconfirmed: readonly string[];
  sources: readonly string[];
  /** For operators, shown in the documents. */
  notes?: string;
  /** Other services that send in the same way. */
  alsoUsedBy?: readonly string[];
}

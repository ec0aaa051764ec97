// YAML text as one document of nodes that know their lines. Hostile text ends here: what nests so deep that nothing
// could go down it, and what is no single document.

import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isNode,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  visit,
  type YAMLParseError,
} from 'yaml';

export interface YamlText {
  document: Document.Parsed;
  /** From 1. */
  lineAt(offset: number): number;
  /** What an alias stands for; null where no anchor before it has the name. */
  targetOf(alias: Alias): Node | null;
}

export interface LineFault {
  line: number;
  message: string;
}

/** Of lists and mappings in each other, with what the parser keeps between them. */
const MAX_STACK = 256;

export function parseYamlText(text: string): { yaml: YamlText; fault: null } | { yaml: null; fault: LineFault } {
  const lines = new LineCounter();
  const refuse = (offset: number, message: string) => ({ yaml: null, fault: { line: lines.linePos(offset).line, message } });
  const { documents, tooDeepAt } = compose(text, lines);
  if (tooDeepAt !== null) return refuse(tooDeepAt, 'nests too deep');
  const [document, second] = documents;
  if (document === undefined) throw new Error('a text without a YAML document was composed');
  const [error] = document.errors;
  if (error !== undefined) return refuse(error.pos[0], describe(error));
  if (second !== undefined) return refuse(second.range[0], 'a second document begins here; each needs a file of its own');
  const targets = findTargets(document);
  return {
    yaml: { document, lineAt: (offset) => lines.linePos(offset).line, targetOf: (alias) => targets.get(alias) ?? null },
    fault: null,
  };
}

function compose(text: string, lines: LineCounter): { documents: Document.Parsed[]; tooDeepAt: number | null } {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let tooDeepAt: number | null = null;
  function* tokens() {
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme);
      // Parser and composer call themselves for each level, until the process has no stack left.
      if (parser.stack.length > MAX_STACK) {
        tooDeepAt = parser.offset;
        return;
      }
    }
    yield* parser.end();
  }
  // Repeated keys are found where values are made of the nodes: the check of the library takes quadratic time.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  return { documents: [...composer.compose(tokens(), true, text.length)], tooDeepAt };
}

/** A name may be given to a second anchor: an alias means the last one before it. */
function findTargets(document: Document.Parsed): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, (_key, node) => {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target !== undefined) targets.set(node, target);
    } else if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
  });
  return targets;
}

/** The first line of a message names the fault; what follows quotes the file, which may hold secrets. */
function describe({ message }: YAMLParseError): string {
  return (message.split('\n')[0] as string).replace(/:$/, '');
}

// Parses YAML text to one document whose nodes have lines. Refuses hostile text: nested too deep to be processed, or with
// more than one document.

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
  /** Returns the target of an alias; null when no earlier anchor has its name. */
  targetOf(alias: Alias): Node | null;
}

export interface LineFault {
  line: number;
  message: string;
}

/** Nested lists and mappings, including the parser's entries between them. */
const MAX_STACK = 256;

export function parseYamlText(text: string): { yaml: YamlText; fault: null } | { yaml: null; fault: LineFault } {
  const lines = new LineCounter();
  const refuse = (offset: number, message: string) => ({ yaml: null, fault: { line: lines.linePos(offset).line, message } });
  const { documents, tooDeepAt } = compose(text, lines);
  if (tooDeepAt !== null) return refuse(tooDeepAt, 'is nested too deeply');
  const [document, second] = documents;
  if (document === undefined) throw new Error('a text without a YAML document was composed');
  const [error] = document.errors;
  if (error !== undefined) return refuse(error.pos[0], describe(error));
  if (second !== undefined) return refuse(second.range[0], 'a second document begins here; a file can have only one');
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
      // Parser and composer recurse for each level, and would overflow the call stack.
      if (parser.stack.length > MAX_STACK) {
        tooDeepAt = parser.offset;
        return;
      }
    }
    yield* parser.end();
  }
  // Duplicate keys are found when nodes are converted to values: the library's check takes quadratic time.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  return { documents: [...composer.compose(tokens(), true, text.length)], tooDeepAt };
}

/** Anchors may share a name: an alias refers to the last one before it. */
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

/** Keeps only the first line of the message: the rest quotes the file, which may contain secrets. */
function describe({ message }: YAMLParseError): string {
  return (message.split('\n')[0] as string).replace(/:$/, '');
}

// Chooses the language of a page by Accept-Language (RFC 9110, 12.5.4; lookup of RFC 4647, 3.4).

/** Further ranges are ignored. */
const MAX_RANGES = 32;

/** `languages` are primary subtags. The first range in order of quality that one of them satisfies wins. */
export function chooseLanguage(header: string | undefined, languages: readonly string[], fallback: string): string {
  if (header === undefined) return fallback;
  const ranges = header.split(',', MAX_RANGES).flatMap((text) => {
    const [tag = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    return quality > 0 && quality <= 1 ? [{ language: tag.split('-', 1)[0] as string, quality }] : [];
  });
  // The sort is stable: of equal qualities, the earlier range comes first.
  for (const { language } of ranges.sort((a, b) => b.quality - a.quality)) {
    if (language === '*') return fallback;
    if (languages.includes(language)) return language;
  }
  return fallback;
}

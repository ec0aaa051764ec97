// Collects the images that several operations need into one request, because the step is planned again after each request.

import { ImagesWanted, type ImageWant } from './image.ts';

/** `items.map(map)`, which throws one ImagesWanted with the wants of all calls. */
export function mapCollectingWants<Item, Result>(items: readonly Item[], map: (item: Item) => Result): Result[] {
  const wants: ImageWant[] = [];
  const results = items.flatMap((item) => {
    try {
      return [{ result: map(item) }];
    } catch (error) {
      if (!(error instanceof ImagesWanted)) throw error;
      wants.push(...error.wants);
      return [];
    }
  });
  if (wants.length > 0) throw new ImagesWanted(wants);
  return results.map(({ result }) => result);
}

// Several looks at images in one go: all that are wanted are asked for at once, for a step is planned again after each
// question.

import { ImagesWanted, type ImageWant } from './image.ts';

/** As `items.map(map)`; what is wanted by any of the calls is thrown once all were made. */
export function mapAskingOnce<Item, Result>(items: readonly Item[], map: (item: Item) => Result): Result[] {
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

// Samples of V7 Darwin: its Webhook Stage today (Darwin JSON 2.0), the same stage in 2022, and the event of a completed
// workflow.

import { SeededRandom } from './random.ts';
import { jsonBytes, type SampleOptions, type SampleRequest, textBytes } from './sample.ts';
import { makeScene, type Thing } from './scene.ts';
import { stageAnnotations, withRasterNumbers } from './v7-annotations.ts';

const FILE = 'shelf-0001.jpg';
const URL = `https://files.example.org/${FILE}`;

export function v7StageSample(options: SampleOptions): SampleRequest {
  const random = new SeededRandom(options.seed);
  const things = makeScene(options, random);
  const item = stageItem(random.uuid(), options);
  const head = { version: '2.0', schema_ref: 'https://schemas.example.org/darwin/2.0.json', item };
  const document = options.annotations ? { ...head, annotations: stageAnnotations(things, options, random) } : head;
  return { contentType: 'application/json', body: withRasterNumbers(textBytes(JSON.stringify(document)), options.rle, random) };
}

function stageItem(id: string, { width, height }: SampleOptions): Record<string, unknown> {
  return {
    name: FILE,
    path: '/aisle-3',
    source_info: {
      item_id: id,
      team: { name: 'Shelf Watch', slug: 'shelf-watch' },
      dataset: {
        name: 'Night shift',
        slug: 'night-shift',
        dataset_management_url: 'https://annotate.example.org/datasets/4021/dataset-management',
      },
      workview_url: `https://annotate.example.org/workview?item=${id}`,
    },
    slots: [
      {
        type: 'image',
        slot_name: '0',
        width,
        height,
        thumbnail_url: `${URL}?thumbnail`,
        source_files: [{ file_name: FILE, url: URL }],
      },
    ],
  };
}

export function v7LegacySample(options: SampleOptions): SampleRequest {
  const things = makeScene(options, new SeededRandom(options.seed));
  const head = {
    dataset_info: { name: 'Night shift', slug: 'night-shift' },
    team_info: { name: 'Shelf Watch', slug: 'shelf-watch' },
    files: [{ filename: FILE, url: URL }],
  };
  const document = options.annotations ? { ...head, annotations: [things.map(legacyAnnotation)] } : head;
  return { contentType: 'application/json', body: jsonBytes(document) };
}

function legacyAnnotation({ className, box }: Thing, index: number): unknown {
  const isPoint = index % 2 === 1;
  return isPoint ? { name: className, keypoint: { x: box.x, y: box.y } } : { name: className, bounding_box: sidesOf(box) };
}

export function v7EventSample(options: SampleOptions): SampleRequest {
  const things = makeScene(options, new SeededRandom(options.seed));
  const head = { dataset_id: 4021, filename: FILE };
  const annotations = things.map(({ className, box }, index) => ({
    class_name: className,
    data: { bounding_box: sidesOf(box), text: { text: `No. ${index + 1}` } },
  }));
  const payload = options.annotations ? { ...head, annotations } : head;
  return { contentType: 'application/json', body: jsonBytes({ event_type: 'workflow_complete', payload }) };
}

function sidesOf({ x, y, width, height }: Thing['box']): Record<string, number> {
  return { h: height, w: width, x, y };
}

/** @file An adapter file opened on a model, to draw with and to export, without training. */
import { parameterLayout, writeParameters } from '#src/oft/rotation/parameters.ts';
import type { AdapterReport, JobRequest, Source } from '../../protocol.ts';
import type { Loader } from '../files/loader.ts';
import { layoutKeyOf } from '../prepare/setup.ts';
import type { Studio } from './shelf.ts';
import { asInFile, reportOf } from './start.ts';

export type Opening = JobRequest & { readonly adapter: Source };

/** Reads model and file. Throws what reading them throws. */
export async function openStudio(
  { job, model: source, adapter }: Opening,
  loader: Loader,
): Promise<{ readonly studio: Studio; readonly report: AdapterReport }> {
  const model = await loader.model(source, job);
  const layers = model.layers();
  const start = await loader.adapter(adapter, model.hash, layers);
  const { planned, numbers } = asInFile(start.file);
  const layout = parameterLayout(planned);
  const { differences } = start.file;
  const studio: Studio = {
    adapter: {
      id: `opened:${start.hash}`,
      job,
      layers,
      layout,
      theta: writeParameters(layout, numbers),
      step: 0,
      modelHash: model.hash,
      opened: start.name,
      ...(differences && { differences }),
    },
    model,
    external: loader.external(source),
    layoutKey: differences ? `${model.hash}:${start.hash}` : layoutKeyOf(model.hash, layout),
  };
  return { studio, report: reportOf(start) };
}

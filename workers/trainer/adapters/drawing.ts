/** @file What is done with the adapter at hand: it draws, answers and is exported, or another one takes its place. */
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type { Samples } from '#src/tasks/types.ts';
import type { AdapterReport, AskRequest, ExportedFile, Said, SampleRequest } from '../../protocol.ts';
import type { Bench } from '../bench.ts';
import type { Devices } from '../devices.ts';
import type { Loader } from '../files/loader.ts';
import type { OwnFiles } from '../files/ownFiles.ts';
import { openSource } from '../files/sources.ts';
import type { Lent } from '../lent.ts';
import { checkedJob } from '../run/resume.ts';
import { exportAs, wholeParts } from './adapter.ts';
import { ask, draw } from './draw.ts';
import { type Opening, openStudio } from './open.ts';
import type { Present, Shelf, Studio } from './shelf.ts';

export interface DrawingContext {
  readonly devices: Devices;
  readonly loader: Loader;
  readonly own: OwnFiles;
  readonly lent: Lent;
  readonly shelf: Shelf;
  readonly present: () => Present;
}

export class Drawing {
  readonly #c: DrawingContext;

  constructor(context: DrawingContext) {
    this.#c = context;
  }

  /** An adapter file takes the place of all runs, until one begins. */
  async open(request: Opening): Promise<AdapterReport> {
    const { devices, loader, lent, shelf } = this.#c;
    const job = checkedJob(request.job);
    await devices.get(request.backend);
    lent.external = loader.external(request.model);
    const { studio, report } = await openStudio({ ...request, job }, loader);
    shelf.open(studio);
    return report;
  }

  /** Samples by prompts. */
  async draw(request: SampleRequest): Promise<Samples> {
    const { studio, bench } = await this.#studio();
    return draw(studio, request, bench, this.#c.lent.host);
  }

  /** Answers to things of a person's own. */
  async ask(request: AskRequest): Promise<readonly Said[]> {
    const { own, lent } = this.#c;
    const { given = null } = request;
    const files = given && (await openSource(given, { own, kind: 'data' }));
    const { studio, bench } = await this.#studio();
    // What is tried is kept nowhere.
    return ask(studio, request, files, bench, lent.bare);
  }

  /** The adapter as a file of that kind. */
  async exported(format: AdapterFormat): Promise<ExportedFile> {
    const { shelf } = this.#c;
    const present = this.#c.present();
    const adapter = await shelf.adapter(present);
    return exportAs(adapter, format, async () => {
      const { model, external } = await shelf.model(adapter, present);
      return wholeParts(model, external);
    });
  }

  async #studio(): Promise<{ readonly studio: Studio; readonly bench: Bench }> {
    const { devices, shelf, lent, present } = this.#c;
    const bench = present().run ? devices.standing() : await devices.get();
    const studio = await shelf.studio(present());
    lent.external = studio.external;
    return { studio, bench };
  }
}

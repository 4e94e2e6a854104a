/** @file `npm run schema`: writes docs/job.schema.json, and the page's copy, from the schema that job files are read with. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages, main, ROOT, runSource, say } from './ensure.mjs';

await main(async () => {
  await ensurePackages();
  /** @type {typeof import('../src/formats/jobs/jobJsonSchema.ts')} */
  const module = await runSource('src/formats/jobs/jobJsonSchema.ts');
  for (const place of ['docs/job.schema.json', 'public/job.schema.json'])
    writeFileSync(join(ROOT, place), module.jobSchemaFile());
  say('docs/job.schema.json is written.');
  return 0;
});

/** @file `npm run bench -- [step|models|peers|curves|threads|room|all|profile|family|memory|recompute|rounded|scale|data|rates|starts|firstStep|slow|tasks] [argument …]`: measures, asserts nothing. step: step ÷ forward by gradient route; models: the same for several kinds of models, beside what multiplications allow; profile: where a step's time goes, by role and operator; peers: the same step on other libraries, which npm puts in .cache/peers, and in Python; curves: step ÷ forward by batch, size and blocks, and compile times; threads: one thread and two, in a browser; room: estimated peak memory by batch; all: models, curves and room; family: the same for other adapters; memory: a long run; recompute: peak memory with the forward pass in segments; rounded: steps over weights in fewer bits; scale: a large model's file to its step graph; data: thousands of pictures made ready in the browser; rates: the loss of short runs by adapter and learning rate; starts: first runs in fresh profiles of Firefox; firstStep: the demo from its start to its first step; slow: a first visit over a slow line; tasks: how long the page is busy in one go. */
import { ensurePackages, main, Refusal, ROOT } from './ensure.mjs';

const BENCHES = [
  'step',
  'models',
  'peers',
  'curves',
  'room',
  'threads',
  'all',
  'profile',
  'family',
  'memory',
  'recompute',
  'rounded',
  'scale',
  'data',
  'rates',
  'starts',
  'firstStep',
  'slow',
  'tasks',
];

await main(async () => {
  const [name = 'step', ...numbers] = process.argv.slice(2);
  if (!BENCHES.includes(name))
    throw new Refusal(`There is no bench "${name}"; choose ${BENCHES.join(' or ')}.`);
  await ensurePackages();
  const { createServer } = await import('vite');
  const server = await createServer({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, ws: false },
    resolve: { alias: { 'onnxruntime-web/wasm': 'onnxruntime-web' } },
  });
  try {
    const module = await server.ssrLoadModule(`/e2e/bench/${name}.ts`);
    await module.main(...numbers.map((x) => (Number.isNaN(Number(x)) ? x : Number(x))));
  } finally {
    await server.close();
  }
  return 0;
});

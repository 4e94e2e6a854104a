/** @file The downloading worker's script, which must hold nothing: trainer.worker.ts says why. */
import './download/serve.ts';

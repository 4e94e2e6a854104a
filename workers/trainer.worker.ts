/**
 * @file The training worker's script, which must hold nothing: WebKit does not know it again where a part that is loaded later imports it, runs it a second
 * time, and every message would be answered twice, every job done twice. `separateEntries` (vite.config.ts) keeps it so in a build.
 */
import './trainer/serve.ts';

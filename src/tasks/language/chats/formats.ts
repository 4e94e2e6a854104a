/** @file All kinds of exports that are read: a line for each, which is asked in this order. */
export { format as whatsapp, markdown as signalMarkdown } from './whatsapp.ts';
export { format as telegram } from './telegram.ts';
export { format as discord, ownData as discordOwn } from './discord.ts';
export { format as signal } from './signal.ts';
export { format as tables } from './tables.ts';
export { format as mbox } from './mbox.ts';
export { format as notes } from './notes.ts';

/** @file What of a mail is its writer's own: without quoted mails, the line before them, and the signature. */

/** "On Monday, Anna wrote:", "Am 12.05.2023 um 21:04 schrieb Anna:", in a line or two. */
const WROTE =
  /^(?:on|am|le|el|il|op|em|den|dnia|\d{4}[-/年]).{4,200}(?:wrote|schrieb|écrit|escribió|scritto|schreef|escreveu|skrev|napisał|写道|寫道|のメール)[^\n]{0,100}[:：]\s*$/iu;
/** From here on, everything is somebody else's. */
const BEGINS =
  /^(?:-{3,} ?(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht|message d'origine|mensaje original|messaggio originale|原始邮件|原始郵件|转发).*|_{20,}|begin forwarded message:|anfang der weitergeleiteten nachricht:)\s*$/iu;

/** The writer's own words. */
export function ownWords(text: string): string {
  const lines = text.split(/\r?\n/);
  const own: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (BEGINS.test(line) || /^-- ?$/.test(line)) break;
    if (/^\s*>/.test(line)) continue;
    const two = `${line} ${lines[i + 1] ?? ''}`;
    const next = lines.slice(i + 1, i + 4).find((l) => l.trim() !== '');
    if (WROTE.test(line) && (next === undefined || /^\s*>/.test(next))) continue;
    if (
      !WROTE.test(line) &&
      WROTE.test(two) &&
      /^\s*>/.test(lines.slice(i + 2, i + 5).find((l) => l.trim() !== '') ?? '')
    ) {
      lines[i + 1] = '';
      continue;
    }
    own.push(line);
  }
  return own
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

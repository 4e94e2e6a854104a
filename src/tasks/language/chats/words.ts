/** @file What WhatsApp writes where something was that is no text, in the languages that it speaks. */

const any = (words: readonly string[]): string => words.join('|');

/** Of pictures, films, recordings, files and cards, as beginnings of words. */
const THINGS = any([
  ...[
    'media',
    'image',
    'photo',
    'picture',
    'video',
    'gif',
    'audio',
    'voice message',
    'sticker',
    'document',
    'contact card',
    'file',
  ],
  ...[
    'medien',
    'bild',
    'foto',
    'sprachnachricht',
    'dokument',
    'kontaktkarte',
    'datei',
    'multimedia',
    'imagen',
    'vídeo',
    'documento',
  ],
  ...[
    'tarjeta de contacto',
    'archivo',
    'médias?',
    'fichier',
    'carte du contact',
    'mídia',
    'imagem',
    'figurinha',
    'ficheiro',
    'immagine',
  ],
  ...[
    'scheda contatto',
    'file multimediali',
    'afbeelding',
    'contactkaart',
    'obraz',
    'multimedia',
    'мультимедиа',
    'изображение',
    'видео',
    'аудио',
  ],
  ...[
    'стикер',
    'документ',
    'файл',
    'medya',
    'görüntü',
    'ses',
    'çıkartma',
    'belge',
    '媒体',
    '多媒体',
    '多媒體',
    '媒體',
    '图片',
    '圖片',
    '视频',
    '影片',
  ],
  ...[
    '音频',
    '音訊',
    '语音',
    '贴图',
    '貼圖',
    '文档',
    '文件',
    'メディア',
    '画像',
    '動画',
    '音声',
    'ステッカー',
    '書類',
    '미디어',
    '사진',
    '동영상',
    '오디오',
  ],
  ...['스티커', '문서', 'الوسائط', 'وسائط', 'صورة', 'फ़ोटो', 'मीडिया'],
]);
/** That it is not there. */
const GONE = any([
  ...[
    'omitted',
    'ausgeschlossen',
    'weggelassen',
    'nicht enthalten',
    'omitid[oa]s?',
    'omis(?:es?|e)?s?',
    'absente?s?',
    'ocult[oa]s?',
    'omess[oaie]',
  ],
  ...[
    'weggelaten',
    'pominięt[oeya]',
    'без медиафайлов',
    'пропущен[оаы]?',
    'опущен[оаы]?',
    'dahil edilmedi',
    'atlandı',
    '忽略',
    '省略',
    '略過',
    '已忽略',
  ],
  ...[
    '除外',
    'なし',
    '省略されました',
    '생략됨',
    '생략',
    '제외됨?',
    'تم استبعاد',
    'محذوفة?',
    'छोड़ा गया',
    'نادیده',
  ],
]);

/** <Media omitted>, <Medien ausgeschlossen>, <省略多媒体文件> */
export const OMITTED_IN_BRACKETS = new RegExp(
  `^<(?=.{2,60}$)(?:[^<>]*(?:${THINGS})[^<>]*(?:${GONE})[^<>]*|[^<>]*(?:${GONE})[^<>]*(?:${THINGS})[^<>]*)>$`,
  'iu',
);
/** image omitted, Bild weggelassen: no more than this, since people say such words, too. */
export const OMITTED = new RegExp(`^(?:(?:${THINGS}) ?(?:${GONE})|(?:${GONE}) ?(?:${THINGS}))$`, 'iu');

/** IMG-20230512-WA0001.jpg (file attached), <attached: 00000012-PHOTO-2023-05-12.jpg> */
export const ATTACHED =
  /^(?:[^\n<>:"]{1,120}\.[A-Za-z0-9]{2,5} \([^()\n]{2,40}\)|<[^\n<>:]{2,30}:\s?[^\n<>]{1,200}\.[A-Za-z0-9]{2,5}>)\s*/u;

/** A place, which is sent as a link. */
export const PLACE = /^(?:[^\n:]{2,30}: )?https:\/\/maps\.google\.com\/\?q=[-\d.,]+$/u;

/** What a message says that was deleted. */
export const DELETED = new RegExp(
  `^(?:${any([
    ...['this message was deleted', 'you deleted this message', 'this message was deleted by admin.*'],
    ...[
      'diese nachricht wurde gelöscht',
      'du hast diese nachricht gelöscht',
      'diese nachricht wurde (?:von|vom) .{1,40} gelöscht',
    ],
    ...['se eliminó este mensaje', 'eliminaste este mensaje', 'este mensaje (?:fue|ha sido) eliminado'],
    ...[
      'ce message a été supprimé',
      'vous avez supprimé ce message',
      'questo messaggio è stato eliminato',
      'hai eliminato questo messaggio',
    ],
    ...[
      'essa mensagem foi apagada',
      'mensagem apagada',
      'você apagou (?:esta|essa) mensagem',
      'dit bericht (?:is|werd) verwijderd',
      'u hebt dit bericht verwijderd',
    ],
    ...[
      '(?:ta|ta) wiadomość została usunięta',
      'usunięto tę wiadomość',
      'сообщение удалено',
      'данное сообщение удалено',
      'вы удалили (?:данное )?сообщение',
    ],
    ...[
      'bu mesaj silindi',
      'bu mesajı sildiniz',
      '此(?:消息|訊息)已(?:被)?[删刪]除',
      '[你您]已?[删刪]除了?此?(?:条|則)?(?:消息|訊息)',
      '[你您][删刪]除了这条消息',
    ],
    ...[
      'このメッセージは削除されました',
      '이 메시지는 삭제되었습니다',
      '삭제된 메시지입니다',
      'تم حذف هذه الرسالة',
    ],
  ])})\\.?$`,
  'iu',
);

/** Behind a message that was changed. */
export const EDITED =
  /\s*<[^<>\n]{0,30}(?:edited|bearbeitet|editad[oa]|editó|modifi(?:é|cato)|bewerkt|edytowan|изменено|отредактировано|düzenlendi|编辑|編輯|編集|수정|تعديل)[^<>\n]{0,20}>$/iu;

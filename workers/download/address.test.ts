/** @file What people type, and what it means. */
import { describe, expect, it } from 'vitest';
import { addressOf } from './address.ts';

describe('addressOf', () => {
  it.each([
    ['https://example.org/a/model.onnx', 'file', 'https://example.org/a/model.onnx', 'model.onnx'],
    ['  example.org/a/model.onnx#top ', 'file', 'https://example.org/a/model.onnx', 'model.onnx'],
    ['http://localhost:8080/m.zip?key=1', 'file', 'http://localhost:8080/m.zip?key=1', 'm.zip'],
    ['localhost:8080/m.zip', 'file', 'https://localhost:8080/m.zip', 'm.zip'],
    ['https://example.org/api/get/42', 'file', 'https://example.org/api/get/42', '42.onnx'],
    ['https://example.org/sd/', 'folder', 'https://example.org/sd/', 'sd'],
    ['https://example.org/sd/model_index.json', 'folder', 'https://example.org/sd/', 'sd'],
    [
      'https://huggingface.co/o/r/blob/main/onnx/model.onnx',
      'file',
      'https://huggingface.co/o/r/resolve/main/onnx/model.onnx',
      'model.onnx',
    ],
    [
      'https://github.com/o/r/blob/v1/models/m.onnx',
      'file',
      'https://raw.githubusercontent.com/o/r/v1/models/m.onnx',
      'm.onnx',
    ],
    ['https://huggingface.co/o/r', 'repository', 'https://huggingface.co/o/r/tree/main/', 'r'],
    [
      'https://huggingface.co/o/r/tree/v2/onnx',
      'repository',
      'https://huggingface.co/o/r/tree/v2/onnx/',
      'onnx',
    ],
  ])('%s', (typed, kind, url, name) => {
    expect(addressOf(typed)).toMatchObject({ kind, url, name });
  });

  it('is the same when what it made is typed again', () => {
    for (const typed of [
      'huggingface.co/o/r',
      'https://huggingface.co/o/r/tree/v2/onnx',
      'https://example.org/sd/',
    ]) {
      const once = addressOf(typed);
      expect(addressOf(once.url)).toEqual(once);
    }
  });

  it.each([
    ['', /no web address/],
    ['not an address', /no web address/],
    ['not a url', /no web address/],
    ['https://not a url', /no web address/],
    ['model', /no web address/],
    ['owner/name', /no web address.*huggingface\.co/],
    ['file:///home/me/model.onnx', /only https and http/],
    ['javascript:alert(1)', /only https and http/],
    ['https://me:secret@example.org/m.onnx', /user name or password/],
    ['https://example.org/model.safetensors', /not an ONNX model/],
  ])('refuses "%s"', (typed, message) => {
    expect(() => addressOf(typed)).toThrow(message);
  });
});

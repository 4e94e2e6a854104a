/** @file Which versions of the standard operators are read. */
import { ModelError } from '#src/onnx/model.ts';

export const oldestOpset = 7;
export const newestOpset = 26;

/** Throws ModelError for a version of the standard operators that is not read. */
export function checkOpset(version: number, who: string): void {
  if (version >= oldestOpset && version <= newestOpset) return;
  const cure =
    version < oldestOpset
      ? 'Convert it by onnx.save(onnx.version_converter.convert_version(onnx.load("model.onnx"), 13), "new.onnx") in Python, or export it again.'
      : 'Export it again with opset 17 or so.';
  throw new ModelError(
    `${who} uses ONNX opset ${version}; ${oldestOpset} to ${newestOpset} are supported. ${cure}`,
  );
}

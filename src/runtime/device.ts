/// <reference types="@webgpu/types" />
/** @file Tensors on the device: GPU buffers on WebGPU, plain arrays on WebAssembly. */
import type * as Ort from 'onnxruntime-web';
import type { DType } from '#src/onnx/model.ts';
import { byteLength, type TypedArray, viewBytes } from '#src/onnx/tensor.ts';
import type { Backend } from './backend.ts';

/** Element types that onnxruntime-web takes as GPU buffers. */
const onGpu: ReadonlySet<string> = new Set([
  'float32',
  'float16',
  'int32',
  'int64',
  'uint32',
  'uint8',
  'int4',
  'uint4',
  'bool',
]);

/** Whether tensors of this type can stay on the device: all can in the host's memory. */
export const staysOnDevice = ({ device }: Backend, type: DType): boolean => !device || onGpu.has(type);

/** Bindings are padded to 16 bytes: kernels read vectors of four. */
const padded = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);

const bytesOf = (data: TypedArray): Uint8Array =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

/** A tensor over host memory; the data is not copied. */
export function hostTensor(
  ort: typeof Ort,
  type: DType,
  shape: readonly number[],
  data: TypedArray,
): Ort.Tensor {
  return new ort.Tensor(type as 'float32', data as Float32Array, [...shape]);
}

/** Copies the data to the device, if the backend has one for this type; else keeps it where it is. */
export function deviceTensor(
  backend: Backend,
  type: DType,
  shape: readonly number[],
  data: TypedArray,
): Ort.Tensor {
  const { device, ort } = backend;
  if (!device || !onGpu.has(type)) return hostTensor(ort, type, shape, data);
  const buffer = device.createBuffer({
    size: padded(data.byteLength),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  const bytes = bytesOf(data);
  const whole = bytes.byteLength & ~3;
  if (whole > 0) device.queue.writeBuffer(buffer, 0, bytes.buffer, bytes.byteOffset, whole);
  if (whole < bytes.byteLength) {
    const tail = new Uint8Array(4);
    tail.set(bytes.subarray(whole));
    device.queue.writeBuffer(buffer, whole, tail);
  }
  return ort.Tensor.fromGpuBuffer(buffer, {
    dataType: type as 'float32',
    dims: [...shape],
    dispose: () => buffer.destroy(),
  });
}

/**
 * The values of tensors that stay valid on the device. All GPU buffers come back through one staging buffer: one wait for the queue.
 * Arrays from host tensors are the tensors' own.
 */
export async function download(backend: Backend, tensors: readonly Ort.Tensor[]): Promise<TypedArray[]> {
  const { device } = backend;
  const sizes = tensors.map((t) => (t.location === 'gpu-buffer' ? byteLength(t.type as DType, t.dims) : 0));
  const total = sizes.reduce((n, s) => n + padded(s), 0);
  let bytes = new ArrayBuffer(0);
  if (device && sizes.some((s) => s > 0)) {
    const staging = device.createBuffer({
      size: total,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    const encoder = device.createCommandEncoder();
    let offset = 0;
    tensors.forEach((t, i) => {
      if (sizes[i]! > 0)
        encoder.copyBufferToBuffer(t.gpuBuffer, 0, staging, offset, Math.ceil(sizes[i]! / 4) * 4);
      offset += padded(sizes[i]!);
    });
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    bytes = staging.getMappedRange().slice(0);
    staging.destroy();
  }
  let offset = 0;
  return tensors.map((t, i) => {
    const start = offset;
    offset += padded(sizes[i]!);
    return t.location === 'gpu-buffer'
      ? viewBytes(t.type, new Uint8Array(bytes, start, sizes[i]))
      : (t.data as unknown as TypedArray);
  });
}

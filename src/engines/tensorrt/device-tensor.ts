import { raceAbort } from "../../abort.js";
import { ModelDisposedError, ModelRuntimeError } from "../../errors.js";
import { callNative, type NativeAddon, type NativeDeviceTensor } from "../../native/index.js";
import { elementTypeFromNumber } from "../element-types.js";
import type { ElementType, RunOptions, Tensor, TensorData } from "../types.js";

const STAGE = "tensorrt.device-tensor";

/**
 * An output that stays in the memory of the GPU, as input of further runs, of the same engine or of others on the same GPU. It outlives
 * the engine that made it. Close it when it is not needed any more: the collector sees only a small object, not the memory behind it.
 */
export class DeviceTensor implements AsyncDisposable {
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Ordinal of the GPU. */
  readonly device: number;
  readonly #addon: NativeAddon;
  readonly #native: NativeDeviceTensor;
  #closing: Promise<void> | null = null;

  private constructor(addon: NativeAddon, native: NativeDeviceTensor, type: ElementType) {
    this.#addon = addon;
    this.#native = native;
    this.type = type;
    this.dims = native.dims;
    this.device = native.device;
  }

  /** @internal What a run has left. */
  static of(addon: NativeAddon, native: NativeDeviceTensor): DeviceTensor {
    const type = elementTypeFromNumber(native.type);
    if (type === null) throw new ModelRuntimeError(`The network returned elements of an unknown type (${native.type}).`, { stage: STAGE });
    return new DeviceTensor(addon, native, type);
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  /** A copy for the host. @throws ModelDisposedError when closed, CudaError; rejects with the signal's reason on abort. */
  async read({ signal }: Pick<RunOptions, "signal"> = {}): Promise<Tensor> {
    signal?.throwIfAborted();
    const native = this.nativeHandle;
    const cancel = signal === undefined ? null : this.#addon.createCancelToken();
    const data = await raceAbort(
      signal,
      callNative(() => native.read(cancel)),
      () => cancel?.cancel(),
    );
    return { type: this.type, dims: this.dims, data: data as TensorData };
  }

  /** Gives the memory back, once runs that were started before no longer read it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= callNative(() => this.#native.close());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal For runs. */
  get nativeHandle(): NativeDeviceTensor {
    if (this.closed) throw new ModelDisposedError("This tensor on the device is closed.", { stage: STAGE });
    return this.#native;
  }
}

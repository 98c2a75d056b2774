/** What this machine can run, as negotiation judges it: plain values, so that a saved one can be replayed elsewhere. */
export interface RuntimeXRay {
  readonly gpuAvailable: boolean;
  /** Lower case, spaces as hyphens: `nvidia-l4`. */
  readonly gpuDevices: readonly string[];
  /** Compute capabilities `major.minor`, in the order of the devices. */
  readonly gpuDevicesCc: readonly string[];
  readonly driverVersion: string | null;
  readonly cudaVersion: string | null;
  readonly trtVersion: string | null;
  /** `nvidia-jetson-orin-nx`; null when this is no Jetson. */
  readonly jetsonType: string | null;
  readonly l4tVersion: string | null;
  /** `ubuntu-22.04`; null on a Jetson. */
  readonly osVersion: string | null;
  readonly onnxruntimeVersion: string | null;
  /** Full names (`CUDAExecutionProvider`); null when there is no ONNX Runtime. */
  readonly availableOnnxExecutionProviders: readonly string[] | null;
  /** Whether the addon is there and could open TensorRT. */
  readonly trtBindingAvailable: boolean;
  // What only Python offers; recorded machines may have it, this one never does.
  readonly torchAvailable: boolean;
  readonly torchVersion: string | null;
  readonly torchvisionVersion: string | null;
  readonly hfTransformersAvailable: boolean;
}

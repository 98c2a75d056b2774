/** Backends that only the Python library runs. They are judged all the same: a recorded machine may be one of its. */
import type { RuntimeXRay } from "../../environment/types.js";
import type { ModelPackageMetadata } from "../../packages/index.js";
import { compareVersions } from "../../versions.js";
import type { Device, Refusal } from "../types.js";

const TORCH_MISSING: Refusal = {
  code: "TORCH_UNAVAILABLE",
  message: "The package needs PyTorch, which this machine does not offer.",
  details: {},
};

export const matchTorch = ({ torchAvailable }: RuntimeXRay): Refusal | null => (torchAvailable ? null : TORCH_MISSING);

export const matchHuggingFace = ({ hfTransformersAvailable }: RuntimeXRay): Refusal | null =>
  hfTransformersAvailable
    ? null
    : {
        code: "TRANSFORMERS_UNAVAILABLE",
        message: "The package needs Hugging Face Transformers, which this machine does not offer.",
        details: {},
      };

function tooOld(library: string, needed: string, found: string | null): Refusal | null {
  if (found !== null && compareVersions(found, needed) >= 0) return null;
  return {
    code: "TORCHSCRIPT_VERSION_MISMATCH",
    message: `The package needs ${library} ${needed} or newer; found: ${found ?? "none"}.`,
    details: { library, needed, found },
  };
}

export function matchTorchScript(
  { torchScriptPackageDetails: details }: ModelPackageMetadata,
  { torchAvailable, torchVersion, torchvisionVersion }: RuntimeXRay,
  device: Device | null,
): Refusal | null {
  if (!torchAvailable || torchVersion === null) return TORCH_MISSING;
  if (details === null) {
    return { code: "TORCHSCRIPT_DETAILS_MISSING", message: "The package does not say which PyTorch it needs.", details: {} };
  }
  if (device === null || !details.supportedDeviceTypes.includes(device.type)) {
    return {
      code: "TORCHSCRIPT_DEVICE_MISMATCH",
      message: `The package runs on ${details.supportedDeviceTypes.join(", ")}; asked for: ${device?.type ?? "nothing"}.`,
      details: { supported: details.supportedDeviceTypes, device: device?.type ?? null },
    };
  }
  const torch = tooOld("PyTorch", details.torchVersion, torchVersion);
  if (torch !== null || details.torchVisionVersion === null) return torch;
  return tooOld("torchvision", details.torchVisionVersion, torchvisionVersion);
}

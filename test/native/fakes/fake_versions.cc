// Stand-ins for libraries that are only asked for their version: NVML, the CUDA runtime, TensorRT, its parser. One source; the
// build makes a library of each.
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

#if defined(FAKE_NVML)
EXPORT int nvmlInit_v2() { return FAKE_NVML; }
EXPORT int nvmlShutdown() { return 0; }
EXPORT const char* nvmlErrorString(int) { return "Driver/library version mismatch"; }
EXPORT int nvmlSystemGetDriverVersion(char* text, unsigned bytes) {
  std::strncpy(text, "550.54.15", bytes);
  return 0;
}
#endif

#if defined(FAKE_CUDART)
EXPORT int cudaRuntimeGetVersion(int* version) {
  *version = FAKE_CUDART;
  return 0;
}
#endif

#if defined(FAKE_INFER)
EXPORT int getInferLibVersion() { return FAKE_INFER; }
#if defined(FAKE_INFER_BUILD)
EXPORT int getInferLibBuildVersion() { return FAKE_INFER_BUILD; }
#endif
// The real one crashes its caller without a driver; a probe that gets here has made that mistake.
EXPORT void* createInferRuntime_INTERNAL(void*, int) { __builtin_trap(); }
#endif

#if defined(FAKE_PARSER)
EXPORT int getNvOnnxParserVersion() { return FAKE_PARSER; }
#endif

#include "kernels/images.h"

// Arguments of kernels hold pointers, which on devices have 64 bits.
#if defined(__linux__) && defined(__LP64__)
#define IM_HAS_KERNELS 1
#endif

namespace im::kernels {
namespace {

#if defined(IM_HAS_KERNELS)
constexpr char kPreprocessText[] =
#include "kernels/ptx/preprocess.inc"
    ;
constexpr char kDetectionText[] =
#include "kernels/ptx/detection.inc"
    ;
constexpr char kMaskText[] =
#include "kernels/ptx/masks.inc"
    ;
constexpr char kKeyPointText[] =
#include "kernels/ptx/key_points.inc"
    ;
constexpr char kMapText[] =
#include "kernels/ptx/maps.inc"
    ;
#endif

}  // namespace
}  // namespace im::kernels

// The folder with the machine code, from CMakeLists.txt or binding.gyp.
#if defined(IM_HAS_KERNELS) && defined(IM_KERNEL_BINARIES)
#define IM_EMBED(name, file)                                                                                              \
  extern "C" __attribute__((visibility("hidden"))) const unsigned char name[];                                            \
  __asm__(".section .rodata\n.balign 64\n.global " #name "\n.hidden " #name "\n" #name ":\n.incbin \"" IM_KERNEL_BINARIES \
          "/" file "\"\n.byte 0\n.previous\n");
IM_EMBED(im_preprocess_machine_code, "preprocess.fatbin")
IM_EMBED(im_detection_machine_code, "detection.fatbin")
IM_EMBED(im_mask_machine_code, "masks.fatbin")
IM_EMBED(im_key_point_machine_code, "key_points.fatbin")
IM_EMBED(im_map_machine_code, "maps.fatbin")
#undef IM_EMBED
#endif

namespace im::kernels {

#if defined(IM_HAS_KERNELS) && defined(IM_KERNEL_BINARIES)
std::vector<const void*> PreprocessImages() { return {im_preprocess_machine_code, kPreprocessText}; }
std::vector<const void*> DetectionImages() { return {im_detection_machine_code, kDetectionText}; }
std::vector<const void*> MaskImages() { return {im_mask_machine_code, kMaskText}; }
std::vector<const void*> KeyPointImages() { return {im_key_point_machine_code, kKeyPointText}; }
std::vector<const void*> MapImages() { return {im_map_machine_code, kMapText}; }
bool HasMachineCode() { return true; }
#elif defined(IM_HAS_KERNELS)
std::vector<const void*> PreprocessImages() { return {kPreprocessText}; }
std::vector<const void*> DetectionImages() { return {kDetectionText}; }
std::vector<const void*> MaskImages() { return {kMaskText}; }
std::vector<const void*> KeyPointImages() { return {kKeyPointText}; }
std::vector<const void*> MapImages() { return {kMapText}; }
bool HasMachineCode() { return false; }
#else
std::vector<const void*> PreprocessImages() { return {}; }
std::vector<const void*> DetectionImages() { return {}; }
std::vector<const void*> MaskImages() { return {}; }
std::vector<const void*> KeyPointImages() { return {}; }
std::vector<const void*> MapImages() { return {}; }
bool HasMachineCode() { return false; }
#endif

}  // namespace im::kernels

# The second way to compile the addon, for prebuildify (scripts/prebuildify.mjs). CMakeLists.txt is the first, and the one that
# installs use: keep sources and settings equal (but for the kernels, which this way has as text only). test/architecture.test.ts compares the folders.
{
  "variables": {
    "folders": "base image detection masks maps onnxruntime cuda kernels tensorrt napi",
  },
  "targets": [
    {
      "target_name": "inference-models",
      "sources": [
        "native/addon.cc",
        "<!@(node -e \"for (const d of '<(folders)'.split(' ')) if (fs.existsSync('native/' + d)) for (const f of fs.readdirSync('native/' + d).sort()) if (f.endsWith('.cc')) console.log('native/' + d + '/' + f)\")",
      ],
      "include_dirs": [
        "native",
        "<!(node -p \"require('node-addon-api').include_dir\")",
      ],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_CPP_EXCEPTIONS",
        # A worker that is terminated within a call cannot be thrown anything any more; without this that would end the process.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "IM_VERSION=\"<!(node -p \"require('./package.json').version\")\"",
        "IM_COMPILER=\"node-gyp\"",
      ],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      # No contraction: a fused multiply-add where the compiler pleases would make results depend on the compiler.
      "cflags": ["-O3", "-ffp-contract=off", "-fno-trapping-math"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-fvisibility=hidden", "-fvisibility-inlines-hidden"],
      "conditions": [
        ["OS=='linux'", {
          "cflags_cc": ["-fno-gnu-unique"],
          "ldflags": ["-Wl,--exclude-libs,ALL"],
          "libraries": ["-ldl", "-lpthread"],
        }],
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
            "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "GCC_INLINES_ARE_PRIVATE_EXTERN": "YES",
            "OTHER_CFLAGS": ["-ffp-contract=off", "-fno-trapping-math"],
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
          },
        }],
        ["OS=='win'", {
          "msvs_settings": {
            "VCCLCompilerTool": { "ExceptionHandling": 1, "AdditionalOptions": ["/std:c++17", "/W4"] },
          },
        }],
      ],
    },
  ],
}

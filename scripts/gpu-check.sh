#!/usr/bin/env bash
# Checks and times this package on a machine with an NVIDIA GPU, and writes a page about it. Needs bash, and what `npm run build:gpu-check` has
# put beside this file.
set -u -o pipefail

usage() {
  cat <<'END'
gpu-check.sh [--node NODE] [--out FOLDER] [--cuda FOLDER] [--tensorrt FOLDER] [-- ARGUMENTS OF THE CHECK]

  --node      a Node of 20.19 or newer; default: the one beside this file, else $NODE, else that of the PATH
  --out       where the report goes; default: the present folder
  --cuda      folder of libcuda.so.1, where the loader does not know it
  --tensorrt  folder of TensorRT, likewise

Of the check: --engine ENGINE, --onnx MODEL [--build [--fp16]], --device N, --shape NAME=1x3x640x640, --runs 500, --rounds 50.
Without an engine or a model the kernels alone are checked.

Exit code: 0 all holds, 1 something does not, 2 nothing could be checked.
END
}

give_up() {
  printf 'gpu-check: %s\n' "$*" >&2
  exit 2
}

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
node="" out="."
while [ $# -gt 0 ]; do
  case "$1" in
    --help | -h) usage; exit 0 ;;
    --) shift; break ;;
    --node | --out | --cuda | --tensorrt)
      [ $# -gt 1 ] || give_up "$1 wants a value; see --help."
      case "$1" in
        --node) node="$2" ;;
        --out) out="$2" ;;
        --cuda) export INFERENCE_MODELS_CUDA_LIBRARY_PATH="$2" ;;
        --tensorrt) export INFERENCE_MODELS_TENSORRT_LIBRARY_PATH="$2" ;;
      esac
      shift 2
      ;;
    *) give_up "$1 is no option; see --help." ;;
  esac
done

carried=""
for folder in "$here" "$here/../dist-gpu"; do
  if [ -f "$folder/gpu-check.mjs" ]; then
    carried="$folder"
    break
  fi
done
[ -n "$carried" ] || give_up "gpu-check.mjs is not there. Run \"npm run build:gpu-check\" in the repository and carry dist-gpu/ here."

if [ -z "$node" ]; then
  if [ -x "$carried/node" ]; then node="$carried/node"
  elif [ -n "${NODE:-}" ]; then node="$NODE"
  else node="$(command -v node || true)"
  fi
fi
[ -n "$node" ] || give_up "there is no Node. Carry one here (npm run build:gpu-check -- --with-node), or name it with --node."
version="$("$node" --version 2>/dev/null)" || give_up "$node does not run here."
case "$version" in
  v20.19.* | v20.[2-9][0-9].* | v2[1-9].* | v[3-9][0-9].*) ;;
  *) give_up "$node is Node $version; 20.19 or newer is needed." ;;
esac

mkdir -p "$out" || give_up "$out cannot be made."
check="$carried/gpu-check.mjs"
page="$out/gpu-check.md"
rm -f "$page"
"$node" "$check" --report "$page" "$@"
status=$?
[ "$status" -eq 2 ] && exit 2
[ -f "$page" ] || give_up "the check ended with $status before it could write its report."

{
  printf '\n## Machine\n\n'
  if command -v nvidia-smi >/dev/null; then
    printf '```\n'
    nvidia-smi --query-gpu=name,driver_version,memory.total,power.limit,clocks.max.sm,clocks.max.memory --format=csv 2>&1
    printf '```\n'
  else
    printf 'There is no nvidia-smi.\n'
  fi
} >>"$page"

# Results of all kernels, those of detection too, beside the CPU's; the other C++ tests want stand-ins.
if [ -x "$carried/native_tests" ]; then
  driver="${INFERENCE_MODELS_CUDA_LIBRARY_PATH:-$(dirname "$(ldconfig -p 2>/dev/null | sed -n 's/.*libcuda\.so\.1.* => //p' | head -n 1)")}"
  results='DetectorTest.FindsWhat*:DetectorTest.Equal*:DetectorTest.Nothing*:QueriesTest.Finds*:QueriesTest.Equal*:RowsTest.Finds*:RowsTest.Threads*:RowsTest.Nothing*:PreprocessorTest.Gives*:PreprocessorTest.Prepares*:MaskAssemblerTest.Makes*:MaskAssemblerTest.Many*:KeyPointGathererTest.Takes*:KeyPointQueriesTest.Finds*:KeyPointQueriesTest.Equal*'
  results="$results:PreprocessorTest.Writes*:PreprocessorTest.Extreme*:PreprocessorTest.Contrast*"
  said="$(IM_TEST_CUDA_LIBRARY_PATH="$driver" "$carried/native_tests" --gtest_filter="$results" 2>&1)" || status=1
  printf '%s\n' "$said" | tail -n 3
  { printf '\n## C++ tests of results\n\n```\n'; printf '%s\n' "$said" | tail -n 40; printf '```\n'; } >>"$page"
fi

printf '\n## compute-sanitizer\n\n' >>"$page"

if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    printf 'compute-sanitizer, %s ...\n' "$tool"
    if said="$(compute-sanitizer --tool "$tool" --error-exitcode 86 "$node" "$check" --only-kernels "$@" 2>&1)"; then
      verdict="nothing found"
    else
      verdict="**not clean**"
      status=1
    fi
    printf '%s: %s\n' "$tool" "$verdict"
    { printf '%s: %s\n\n```\n' "$tool" "$verdict"; printf '%s\n' "$said" | grep -a '^=====' | tail -n 40; printf '```\n\n'; } >>"$page"
  done
else
  printf 'It is not installed here.\n' >>"$page"
fi

printf 'The report is %s.\n' "$page"
exit "$status"

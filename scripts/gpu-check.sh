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
# A crash of the driver or of TensorRT takes Node along; what was found before is there, and the kernels can be looked at without either.
if [ "$status" -ne 0 ] && [ "$status" -ne 1 ]; then
  printf 'The check ended with %s.\n' "$status"
  printf '\n**The check ended with %s: what is above is what it found before.**\n' "$status" >>"$page"
  status=1
fi

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

# Results of all kernels beside the CPU's. The other C++ tests want stand-ins; on-a-device.flags has the names of these.
tests=()
if [ -x "$carried/native_tests" ]; then
  tests=("$carried/native_tests" "--gtest_flagfile=$carried/on-a-device.flags")
  folder="${INFERENCE_MODELS_CUDA_LIBRARY_PATH:-}"
  # Not in every PATH, above all not in that of a user.
  [ -n "$folder" ] || folder="$(dirname "$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | sed -n 's/.*libcuda\.so\.1.* => //p' | head -n 1)")"
  export IM_TEST_CUDA_LIBRARY_PATH="$folder"
fi

printf '\n## C++ tests of results\n\n' >>"$page"
if [ "${#tests[@]}" -gt 0 ]; then
  said="$("${tests[@]}" 2>&1)" || { status=1; printf '**The C++ tests failed.**\n' | tee -a "$page"; }
  printf '%s\n' "$said" | tail -n 3
  { printf '```\n'; printf '%s\n' "$said" | tail -n 40; printf '```\n'; } >>"$page"
else
  printf 'Not run: native_tests was not carried here.\n' | tee -a "$page"
fi

# Usage: sanitize TOOL WHAT COMMAND...
sanitize() {
  local tool="$1" what="$2" said verdict options=()
  shift 2
  # Calls that fail are tried on purpose, machine code of another generation for one; they are answered as errors.
  [ "$tool" = memcheck ] && options=(--report-api-errors no)
  printf 'compute-sanitizer, %s, %s ...\n' "$tool" "$what"
  if said="$(compute-sanitizer --tool "$tool" "${options[@]}" --error-exitcode 86 "$@" 2>&1)"; then
    verdict="nothing found"
  else
    verdict="**not clean**, exit code $?"
    status=1
  fi
  printf '%s, %s: %s\n' "$tool" "$what" "$verdict"
  {
    printf '%s, %s: %s\n\n```\n' "$tool" "$what" "$verdict"
    printf '%s\n' "$said" | grep -a -e '^=====' -e FAILED -e PASSED | tail -n 40
    printf '```\n\n'
  } >>"$page"
}

printf '\n## compute-sanitizer\n\n' >>"$page"
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    sanitize "$tool" "preprocessing from Node" "$node" "$check" --only-kernels "$@"
    [ "${#tests[@]}" -eq 0 ] || sanitize "$tool" "C++ tests of all kernels" "${tests[@]}"
  done
else
  printf 'It is not installed here.\n' | tee -a "$page"
fi

printf 'The report is %s.\n' "$page"
exit "$status"

"""The Python library's own stages on one picture: for each line on standard input, milliseconds of pre- and post-processing."""

import json
import sys
import time

import cv2
import torch

torch.set_num_threads(1)
cv2.setNumThreads(1)

from inference_models import AutoModel  # noqa: E402: threads are set before anything of it runs

package, picture, options = sys.argv[1], cv2.imread(sys.argv[2]), json.loads(sys.argv[3])
model = AutoModel.from_pretrained(package, device="cpu")
REPETITIONS = 5  # back to back: after a pause the first call pays for cold caches


def stages():
    begin = time.perf_counter()
    prepared_input = model.pre_process(picture)
    prepared = time.perf_counter()
    # Classifiers need no way back to the picture, so they keep none.
    network_input, *metadata = prepared_input if isinstance(prepared_input, tuple) else (prepared_input,)
    raw = model.forward(network_input)
    computed = time.perf_counter()
    model.post_process(raw, *metadata, **options)
    return (prepared - begin) * 1000, (time.perf_counter() - computed) * 1000


stages()
print("ready", flush=True)
for _ in sys.stdin:
    samples = [stages() for _ in range(REPETITIONS)]
    before, after = (sorted(column)[REPETITIONS // 2] for column in zip(*samples))
    print(json.dumps([before, after]), flush=True)

"""Letterbox with OpenCV: resize, border, blob. One line of milliseconds for each line on standard input."""

import sys
import time

import cv2

cv2.setNumThreads(1)
picture = cv2.imread(sys.argv[1])
SIZE = 640


def prepare():
    height, width = picture.shape[:2]
    scale = min(SIZE / width, SIZE / height)
    new_width, new_height = int(width * scale), int(height * scale)
    left, top = (SIZE - new_width) // 2, (SIZE - new_height) // 2
    resized = cv2.resize(picture, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    canvas = cv2.copyMakeBorder(
        resized, top, SIZE - new_height - top, left, SIZE - new_width - left, cv2.BORDER_CONSTANT, value=(114, 114, 114)
    )
    return cv2.dnn.blobFromImage(canvas, 1 / 255, swapRB=True)


REPETITIONS = 10  # back to back, as the other side is measured: after a pause the first call pays for cold caches

prepare()
print("ready", flush=True)
for _ in sys.stdin:
    times = []
    for _ in range(REPETITIONS):
        begin = time.perf_counter()
        prepare()
        times.append((time.perf_counter() - begin) * 1000)
    print(sorted(times)[REPETITIONS // 2], flush=True)

"""Fit a line to noisy points by gradient descent. Needs nothing but Python."""

import json
import random

lr = 0.02
steps = 20
noise = 0.3
seed = 7

random.seed(seed)
points = [(x / 10, 3 * x / 10 + 1 + random.gauss(0, noise)) for x in range(50)]

slope, intercept = 0.0, 0.0
for step in range(1, steps + 1):
    errors = [(slope * x + intercept - y, x) for x, y in points]
    slope -= lr * 2 * sum(e * x for e, x in errors) / len(points)
    intercept -= lr * 2 * sum(e for e, _ in errors) / len(points)
    print(f"step: {step}")
    print(f"loss: {sum(e * e for e, _ in errors) / len(points):.4f}")

with open("line.json", "w") as file:
    json.dump({"slope": slope, "intercept": intercept}, file)

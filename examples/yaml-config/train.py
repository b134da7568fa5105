"""Minimise a noisy parabola with the optimizer that conf/config.yaml names."""

import random

import yaml

with open("conf/config.yaml") as file:
    config = yaml.safe_load(file)
with open("conf/data.yaml") as file:
    data = yaml.safe_load(file)

random.seed(config["seed"])
optimizer = config["optimizer"]
beta1, beta2 = optimizer["betas"]
at, mean, square = 5.0, 0.0, 0.0
for step in range(1, data["points"] + 1):
    gradient = 2 * at + random.gauss(0, data["noise"])
    if optimizer["name"] == "adam":
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        rate = mean / (1 - beta1**step) / ((square / (1 - beta2**step)) ** 0.5 + 1e-8)
        at -= optimizer["lr"] * rate
    else:
        at -= optimizer["lr"] * gradient
    if step % 50 == 0:
        print(f"step: {step}\nloss: {at * at:.6f}")

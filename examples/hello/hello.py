"""Greet someone, as often as wanted."""

name = "World"
times = 1

for _ in range(times):
    print(f"Hello, {name}")

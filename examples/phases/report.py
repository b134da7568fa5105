"""Print the mean of one column of the staged measurements."""

import csv
import json

column = "height"
digits = 2

with open("measurements.csv") as file:
    values = [float(row[column]) for row in csv.DictReader(file)]

mean = round(sum(values) / len(values), digits)
print(f"mean: {mean}")
print(f"count: {len(values)}")
with open("report.json", "w") as file:
    json.dump({"column": column, "mean": mean}, file)

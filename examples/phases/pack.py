"""Pack the report for sending."""

import zipfile

with zipfile.ZipFile("report.zip", "w") as archive:
    archive.write("report.json")

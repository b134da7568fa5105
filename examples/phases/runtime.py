"""Write down what the command will run in."""

import platform

with open("runtime.txt", "w") as file:
    file.write(f"{platform.python_implementation()} {platform.python_version()}\n")

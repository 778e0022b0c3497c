"""What a table of measurements says of its machine, and where it is written."""

import os
import platform
import subprocess
import time

from harness.process import ROOT


def machine(build):
    """One sentence: day, processor, memory, kernel, database, and which build was measured."""
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = int(open("/proc/meminfo").readline().split()[1]) / (1 << 20)
    version = subprocess.run([ROOT / "tools/mysql-server.sh", "version"], capture_output=True, text=True).stdout.split()
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} × {model}, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
            f"MySQL {version[2] if len(version) > 2 else '?'} on the same machine, {build}.")


def write(page, marks, table):
    """Puts a table between its two marks of a page."""
    text = page.read_text()
    before, rest = text.split(marks[0])
    page.write_text(before + marks[0] + "\n" + table + "\n" + marks[1] + rest.split(marks[1])[1])

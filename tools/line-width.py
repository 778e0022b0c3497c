#!/usr/bin/env python3
"""Fails on a line of Rust that is longer than rustfmt's `max_width`: rustfmt breaks neither comments nor strings.

Generated files do not count.
"""

import pathlib
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
WIDTH = tomllib.loads((ROOT / "rustfmt.toml").read_text())["max_width"]


def main():
    sources = [path for folder in ("crates", "aeroalpes") for path in (ROOT / folder).rglob("*.rs")]
    wide = [(path.relative_to(ROOT), number, len(line))
            for path in sources if "target" not in path.parts
            for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > WIDTH]
    for path, number, width in wide:
        print(f"{path}:{number}: {width} characters; break the line at {WIDTH}")
    return bool(wide)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Regenerates crates/change/src/charset/{tables,collations,exceptions}.rs from a real MySQL and a real MariaDB.

  tools/generate-charsets.py           writes the files
  tools/generate-charsets.py --check   fails if they are not current

Both servers are started on free ports with data directories of their own. Every byte of the single-byte sets and every sequence of two
and three bytes of the multi-byte sets is converted by the servers; where they contradict each other the program stops. Only what
differs from the WHATWG's decoders (asked through the example `whatwg` of crates/change) becomes an exception.
"""

import pathlib
import re
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "crates/change/src/charset"
SERVERS = ("mysql", "mariadb")
SINGLE_BYTE = ("armscii8 cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 dec8 geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 "
               "latin5 latin7 macce macroman swe7 tis620").split()
MULTI_BYTE = {"big5": "big5", "cp932": "shift_jis", "eucjpms": "euc-jp", "euckr": "euc-kr", "gb18030": "gb18030", "gb2312": "gbk",
              "gbk": "gbk", "sjis": "shift_jis", "ujis": "euc-jp"}
COLLATIONS = {"mysql": "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS",
              "mariadb": "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE ID IS NOT NULL"}
BYTES = """CREATE DATABASE charsets; CREATE TABLE charsets.bytes (n INT PRIMARY KEY);
  INSERT INTO charsets.bytes WITH RECURSIVE r AS (SELECT 0 n UNION ALL SELECT n + 1 FROM r WHERE n < 255) SELECT n FROM r"""
HEADER = "//! Generated from real servers ({versions}) by `tools/generate-charsets.py`; do not edit.\n"


class Server:
    def __init__(self, name, folder):
        self.name, self.script = name, ROOT / f"tools/{name}-server.sh"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.folder = folder / name
        self.run("start", "--port", self.port, "--datadir", self.folder, "--fast")
        self.sql(BYTES)

    def run(self, *arguments):
        return subprocess.run([self.script, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout

    def sql(self, statement):
        lines = self.run("client", "--port", self.port, "-N", "-e", f"SET sql_mode = ''; {statement}").splitlines()
        return [line.split("\t") for line in lines]

    def stop(self):
        self.run("stop", "--datadir", self.folder)

    def characters(self, charset, sequence, tables):
        """Sequences that are one character, with its code point; `?` and errors are none."""
        converted = f"HEX(CONVERT(CONVERT(s USING {charset}) USING utf32))"
        found = {}
        for row in self.sql(f"SELECT HEX(s), {converted} FROM (SELECT {sequence} s FROM {tables}) x"):
            if re.fullmatch("[0-9A-F]{8}", row[1]) and row[1] not in ("0000003F", "0000FFFD"):
                found[bytes.fromhex(row[0])] = int(row[1], 16)
        return found


def main():
    with tempfile.TemporaryDirectory(prefix="charsets-") as folder:
        servers = []
        try:
            for name in SERVERS:
                servers.append(Server(name, pathlib.Path(folder)))
            version = {s.name: s.sql("SELECT VERSION()")[0][0].partition("-")[0] for s in servers}
            header = HEADER.format(versions=f"MySQL {version['mysql']} and MariaDB {version['mariadb']}")
            files = {"tables.rs": tables(servers, header), "collations.rs": collations(servers, header),
                     "exceptions.rs": exceptions(servers, header)}
        finally:
            for server in servers:
                server.stop()
    stale = [name for name, text in files.items() if not (TARGET / name).exists() or (TARGET / name).read_text() != text]
    if "--check" in sys.argv[1:]:
        sys.exit(f"not current: {', '.join(stale)}" if stale else 0)
    for name in stale:
        (TARGET / name).write_text(files[name])
        print(f"wrote {name}")


def merged(servers, charset, sequence, tables):
    """What the servers that have the set say together."""
    found = {}
    for server in servers:
        if not server.sql(f"SELECT 1 FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = '{charset}'"):
            continue
        for key, value in server.characters(charset, sequence, tables).items():
            if found.setdefault(key, value) != value:
                sys.exit(f"{charset}: {server.name} maps {key.hex()} to {value:x}, not to {found[key]:x}")
    return found


def tables(servers, header):
    text = header + """//!
//! Each table maps the bytes of a single-byte character set to UTF-16 units; U+FFFD stands for a byte without a
//! character.
"""
    for charset in SINGLE_BYTE:
        found = merged(servers, charset, "CHAR(a.n)", "charsets.bytes a")
        found[b"?"] = ord("?")
        units = [f"0x{found.get(bytes([byte]), 0xfffd):04x}" for byte in range(256)]
        lines = ["    " + ", ".join(units[start:start + 14]) + ",\n" for start in range(0, 256, 14)]
        text += f"\n/// `{charset}`.\npub(super) static {charset.upper()}: [u16; 256] = [\n{''.join(lines)}];\n"
    return text


def collations(servers, header):
    names = {}
    for server in servers:
        for number, charset in server.sql(COLLATIONS[server.name]):
            if names.setdefault(int(number), charset) != charset:
                sys.exit(f"collation {number} is of {charset} and of {names[int(number)]}")
    runs = []
    for number in sorted(names):
        if runs and runs[-1][1] == number - 1 and runs[-1][2] == names[number]:
            runs[-1][1] = number
        else:
            runs.append([number, number, names[number]])
    lines = "".join(f'    ({first}, {last}, "{charset}"),\n' for first, last, charset in runs)
    return (header + "\n/// Ranges of collation ids, ascending, with the name of their character set.\n"
            f"pub(super) static COLLATIONS: &[(u32, u32, &str)] = &[\n{lines}];\n")


def exceptions(servers, header):
    subprocess.run(["cargo", "build", "--quiet", "-p", "bitacora-change", "--example", "whatwg"], cwd=ROOT, check=True)
    text = header + """//!
//! Where a server maps a sequence of a multi-byte character set otherwise than the WHATWG's decoder: first sequence,
//! first character, and how many follow one another.

/// Sequences that follow one another and stand for characters that do: first sequence, first character, count.
pub(super) type Exception = (u32, u16, u16);
"""
    for charset, label in MULTI_BYTE.items():
        found = merged(servers, charset, "CONCAT(CHAR(a.n), CHAR(b.n))", "charsets.bytes a, charsets.bytes b WHERE a.n >= 128")
        found = {key: value for key, value in found.items() if is_lead(charset, key[0])}
        if label == "euc-jp":
            found |= merged(servers, charset, "CONCAT(x'8F', CHAR(a.n), CHAR(b.n))",
                            "charsets.bytes a, charsets.bytes b WHERE a.n >= 128 AND b.n >= 128")
        runs = []
        for key, value in different(label, found):
            sequence = int.from_bytes(key, "big")
            if runs and (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) == (sequence, value):
                runs[-1][2] += 1
            else:
                runs.append([sequence, value, 1])
        entries = ", ".join(f"(0x{sequence:x}, 0x{value:04x}, {count})" for sequence, value, count in runs)
        text += f"\n/// `{charset}`.\npub(super) static {charset.upper()}: &[Exception] = &[{entries}];\n"
    return subprocess.run(["rustfmt", "--edition", "2024", "--config-path", ROOT], input=text, check=True, capture_output=True, text=True).stdout


def is_lead(charset, byte):
    """Katakana of one byte, before a byte that the server then drops, are no sequence."""
    return not (charset in ("cp932", "sjis") and 0xa0 <= byte <= 0xdf) and byte not in (0x80, 0xff)


def different(label, found):
    keys = sorted(found)
    asked = "".join(f"{label} {key.hex()}\n" for key in keys)
    target = pathlib.Path(subprocess.run(["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=ROOT, check=True,
                                         capture_output=True, text=True).stdout.partition('"target_directory":"')[2].partition('"')[0])
    answers = subprocess.run([target / "debug/examples/whatwg"], input=asked, check=True, capture_output=True, text=True).stdout.split()
    assert len(answers) == len(keys)
    return sorted(((key, found[key]) for key, answer in zip(keys, answers) if answer != f"{found[key]:X}"),
                  key=lambda pair: int.from_bytes(pair[0], "big"))


if __name__ == "__main__":
    main()

"""The commands of a page and the outputs that it promises.

A block of `bash` holds what a reader types, a block of `text` behind it what must then be seen. In the promised text `…` stands
for anything within a line; a line of `…` alone stands for any number of lines. Comments of HTML, which a reader does not see, say
what prose says to a reader:

    <!-- terminal NAME -->        the following blocks are typed there; a terminal is opened when it is named first
    <!-- Ctrl-C -->               is pressed there
    <!-- sigue en marcha -->      the command of the next block does not end, and what it shows is promised later
    <!-- espere: COMMAND -->      waits until a command ends well, as a reader would look
    <!-- no se ejecuta: WHY -->   the next block is not run

A block of `text` that follows a change of terminal, or another one, is promised of the current terminal, behind what was promised of
it before.
"""

import re
from dataclasses import dataclass

FENCE = re.compile(r"```(\w*)\n(.*?)```\n?", re.S)
NOTE = re.compile(r"<!--\s*(terminal|Ctrl-C|espere|sigue en marcha|no se ejecuta)\b:?\s*(.*?)\s*-->", re.S)


@dataclass
class Step:
    """One thing that a reader does: `kind` is type, press, wait or see."""

    line: int
    terminal: str
    kind: str
    text: str = ""
    promised: str | None = None
    ends: bool = True


def steps(page):
    """Returns what a reader of a page does, in order."""
    found, terminal, skipped, ends, last = [], "1", False, True, None
    for match in re.finditer(f"{FENCE.pattern}|{NOTE.pattern}", page, re.S):
        language, body, note, rest = match.groups()
        line = page.count("\n", 0, match.start()) + 1
        if note:
            last = None
        if note == "terminal":
            terminal = rest
        elif note == "Ctrl-C":
            found.append(Step(line, terminal, "press"))
        elif note == "espere":
            found.append(Step(line, terminal, "wait", rest))
        elif note == "sigue en marcha":
            ends = False
        elif note == "no se ejecuta":
            skipped = True
        elif language == "bash":
            last = Step(line, terminal, "type", body.rstrip("\n"), ends=ends)
            if skipped:
                last.kind = "skip"
            else:
                found.append(last)
            skipped, ends = False, True
        elif language == "text":
            if last and last.promised is None:
                last.promised = body.rstrip("\n")
            elif not last or last.kind != "skip":
                found.append(Step(line, terminal, "see", promised=body.rstrip("\n")))
    return found


def pattern(promised):
    """Returns the expression that an output with these lines matches. The prompt may follow the last one at once."""
    lines = []
    for line in promised.splitlines():
        words = [re.escape(part.strip()) for part in line.split("…")]
        lines.append(r"(?:.*\n)*?" if line.strip() == "…" else r"[ \t]*" + r".*?".join(words) + r"[ \t]*\n")
    return re.compile(r"(?m)^" + "".join(lines).removesuffix(r"\n") + r"(?:\n|\$ \Z)")

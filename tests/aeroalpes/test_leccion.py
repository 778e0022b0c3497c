"""The lesson of `make demo LECCION=escritura-doble` shows what its page promises."""

import re
import sys

from harness.process import ROOT

sys.path.insert(0, str(ROOT / "tutorial/leccion"))

import escritura_doble


def test_a_dual_write_loses_what_the_outbox_does_not():
    said = []
    lost = escritura_doble.leccion(said.append)
    assert lost == {"escritura doble": [3, 6, 9], "bandeja de salida": []}
    page = (ROOT / "tutorial/aprender.md").read_text()
    promised = re.search(r"LECCION=escritura-doble\n```\n\n```text\n(.*?)```", page, re.S)[1]
    assert "\n".join(said).splitlines() == promised.splitlines()

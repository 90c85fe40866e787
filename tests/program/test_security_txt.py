"""The program's bytes say where to report a weakness, in the form that explorers look for (security.txt)."""

from __future__ import annotations

from localnet.harness.paths import ROOT
from tests.support.cluster import program_so

BEGIN, END = b"=======BEGIN SECURITY.TXT V1=======\0", b"=======END SECURITY.TXT V1=======\0"
REQUIRED = {"name", "project_url", "contacts", "policy"}
CONTACT_KINDS = {"email", "discord", "telegram", "twitter", "link", "other"}


def security_txt(program: bytes) -> dict[str, str]:
    """Name and value of each field. AssertionError where the text is not there exactly once or is not well formed."""
    assert program.count(BEGIN) == 1
    assert program.count(END) == 1
    text = program[program.index(BEGIN) + len(BEGIN) : program.index(END)]
    *parts, rest = text.decode().split("\0")
    assert rest == ""
    names, values = parts[::2], parts[1::2]
    assert len(names) == len(set(names))
    return dict(zip(names, values, strict=True))


def test_the_program_says_where_to_report_a_weakness() -> None:
    fields = security_txt(program_so().read_bytes())
    assert fields.keys() >= REQUIRED
    assert all(fields.values())
    assert fields["name"] == "xstocks_mint"
    contacts = [contact.split(":", 1) for contact in fields["contacts"].split(",")]
    assert {kind for kind, _ in contacts} <= CONTACT_KINDS
    assert "SECURITY.md" in fields["policy"]
    assert (ROOT / "SECURITY.md").is_file()

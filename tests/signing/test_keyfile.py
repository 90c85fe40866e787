"""Key files: what is one is used, what is none is named, and no byte of a key is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from structlog.testing import capture_logs

from xstocks_daemon.errors import UserError
from xstocks_daemon.signing import KeyfileSigner, Signer, load_keyfile

KEYPAIR = Keypair.from_seed(bytes(range(32)))
NUMBERS = list(bytes(KEYPAIR))


def written(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "operator.json"
    path.write_text(text)
    path.chmod(mode)
    return path


async def test_key_of_the_solana_command_line_signs(tmp_path: Path) -> None:
    with capture_logs() as logs:
        signer: Signer = load_keyfile(written(tmp_path, json.dumps(NUMBERS)))
    assert logs == []
    assert signer.public_key == bytes(KEYPAIR.pubkey())
    for message in (b"message", bytes(range(250))):
        signature = Signature.from_bytes(await signer.sign(message))
        assert signature.verify(Pubkey.from_bytes(signer.public_key), message)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_key_file_that_others_may_read_is_warned_about(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, json.dumps(NUMBERS), mode)
    with capture_logs() as logs:
        load_keyfile(path, "operator_keyfile")
    (line,) = logs
    assert (line["event"], line["log_level"], line["mode"]) == (
        "key_file_readable_by_others",
        "warning",
        f"{mode:04o}",
    )
    assert line["field"] == "operator_keyfile"
    assert line["remedy"] == f"chmod 600 {path}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is not JSON"),
        ("not a key", "is not JSON"),
        ("[" * 4_000, "is not JSON"),
        ("{}", "is no JSON array"),
        (
            '"4Z7cXSyeFR8wNGMVXUE1TwtKn5D5Vu7FzEv69dokLv7KrQk7h6pu4LF8ZRR9yQBhc7uSM6RTTZtU1fmaxiNrxXrs"',
            "is no JSON array",
        ),
        (json.dumps(NUMBERS[:32]), "has 32 elements instead of 64"),
        (json.dumps([*NUMBERS, 0]), "has 65 elements instead of 64"),
        (json.dumps([256, *NUMBERS[1:]]), "no number from 0 to 255"),
        (json.dumps([-1, *NUMBERS[1:]]), "no number from 0 to 255"),
        (json.dumps([1.0, *NUMBERS[1:]]), "no number from 0 to 255"),
        (json.dumps([True, *NUMBERS[1:]]), "no number from 0 to 255"),
        (json.dumps(["1", *NUMBERS[1:]]), "no number from 0 to 255"),
        (json.dumps([*NUMBERS[:63], NUMBERS[63] ^ 1]), "a public half that is not of its secret half"),
        (" " * 5_000, "has 5000 bytes, no key file is so large"),
    ],
)
def test_file_that_is_no_key_is_named_with_its_field_and_a_remedy(tmp_path: Path, text: str, fault: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserError, match=fault) as refused:
        load_keyfile(path, "operator_keyfile")
    shown = str(refused.value)
    assert shown.startswith(f"operator_keyfile: {path}: ")
    assert "; " in shown
    assert "\n" not in shown
    assert text[:200] not in shown or len(text) < 3
    assert refused.value.field == "operator_keyfile"


def test_path_that_is_no_readable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist; correct the path"):
        load_keyfile(tmp_path / "none.json")
    with pytest.raises(UserError, match="is no regular file"):
        load_keyfile(tmp_path)


def test_no_byte_of_the_key_is_shown(tmp_path: Path) -> None:
    signer = load_keyfile(written(tmp_path, json.dumps(NUMBERS)))
    assert isinstance(signer, KeyfileSigner)
    assert repr(signer) == str(signer) == f"KeyfileSigner({KEYPAIR.pubkey()})"

"""Planted bugs of xstocks_daemon/signing."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, of, swap

MUTANTS: tuple[Mutant, ...] = (
    *of(
        "signing/keyfile.py",
        "signing/keyfile",
        swap(
            "keyfile-readable",
            "if status.st_mode & (stat.S_IRGRP | stat.S_IROTH):",
            "if status.st_mode & stat.S_IROTH:",
            "warns of a key file that its group may read",
        ),
        swap(
            "keyfile-others",
            "if status.st_mode & (stat.S_IRGRP | stat.S_IROTH):",
            "if status.st_mode & stat.S_IRGRP:",
            "warns of a key file that everybody may read",
        ),
        swap(
            "keyfile-shown",
            'return f"KeyfileSigner({self._keypair.pubkey()})"',
            'return f"KeyfileSigner({self._keypair})"',
            "hides its key in its text form",
        ),
        swap(
            "keyfile-public-half",
            "if bytes(keypair.pubkey()) != public:",
            "if False:",
            "compares the public half with the secret half",
        ),
        swap(
            "keyfile-length",
            "if len(numbers) != KEY_BYTES:",
            "if len(numbers) < KEY_BYTES:",
            "refuses a key file with too many numbers",
        ),
        swap(
            "keyfile-short",
            "if len(numbers) != KEY_BYTES:",
            "if len(numbers) > KEY_BYTES:",
            "refuses a key file with too few numbers",
        ),
        swap(
            "keyfile-bool",
            "type(each) is not int or not 0 <= each <= 255",
            "not isinstance(each, int) or not 0 <= each <= 255",
            "refuses true and false in a key file",
        ),
        swap(
            "keyfile-size",
            "if status.st_size > _MAX_FILE_BYTES:",
            "if False:",
            "refuses a file that is too large for a key",
        ),
        swap(
            "keyfile-regular",
            "if not stat.S_ISREG(status.st_mode):",
            "if False:",
            "refuses what is no regular file by name",
        ),
        swap(
            "keyfile-message",
            "return bytes(self._keypair.sign_message(message))",
            "return bytes(self._keypair.sign_message(message[:32]))",
            "signs the whole message",
        ),
    ),
)

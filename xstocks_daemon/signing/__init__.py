"""Keys and who signs with them: the port, and the key file."""

from xstocks_daemon.signing.keyfile import KeyfileError, KeyfileSigner, load_keyfile
from xstocks_daemon.signing.port import Signer, SigningError

__all__ = ["KeyfileError", "KeyfileSigner", "Signer", "SigningError", "load_keyfile"]

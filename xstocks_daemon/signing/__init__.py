"""Keys and who signs with them: the port, and the key file."""

from xstocks_daemon.signing.keyfile import KeyfileSigner, load_keyfile, load_keypair
from xstocks_daemon.signing.port import Signer, SigningError

__all__ = ["KeyfileSigner", "Signer", "SigningError", "load_keyfile", "load_keypair"]

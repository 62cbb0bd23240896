"""The second signature of a log 国密签名: a note line by SM2 with SM3 (GB/T 32918.2, GB/T 32905), beside its own.

Its type is private: the byte 0xff and a longer identifier, as C2SP signed-note has it for types without a number, so
that verifiers who do not know it ignore the line. The key bears the log's own name. It signs the text of the note with
the usual identity 1234567812345678 (GB/T 35276); the line holds r and s, 32 bytes each, which have one spelling only.

The arithmetic is GmSSL's, by the extra ``gm`` (``gmssl-pyx``). Without it keys and lines are still read, and lines are
said to be not checked. The line proves nothing more than the log's Ed25519 line does: it is for who must see 国密.
"""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from syncd.errors import NeedsPerson
from syncd.ledger.canonical import FormatError, b64, unb64
from syncd.ledger.notes import BadSignature, read_line

try:
    import gmssl_pyx as gm
except ModuleNotFoundError:  # the extra is not installed
    gm = None

SM2_KEY: Final = b"\xffsyncd/sm2-sm3/v1"
"""Note type of an SM2 key: Ed25519's is the byte 0x01."""
PUBLIC_BYTES: Final = 65
"""An uncompressed point: 04, X, Y."""

_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_P: Final = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
_B: Final = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93


def installed() -> bool:
    """Whether lines can be made and checked here."""
    return gm is not None


@dataclass(frozen=True, slots=True)
class Sm2Verifier:
    """A public key by which SM2 lines are checked; ``name`` is the log's origin. Build it with ``parse``."""

    name: str
    public_key: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if len(self.public_key) != PUBLIC_BYTES or not _on_curve(self.public_key):
            raise FormatError("An SM2 key is 04 and a point of its curve, 65 bytes.")
        object.__setattr__(self, "key_id", sha256(f"{self.name}\n".encode() + SM2_KEY + self.public_key).digest()[:4])

    @classmethod
    def parse(cls, vkey: str) -> "Sm2Verifier":
        """Read ``<name>+<8 hex of the key id>+<base64(type || key)>``. Raises FormatError."""
        match = _VKEY.fullmatch(vkey)
        data = unb64(match[3]) if match is not None else b""
        if match is None or not data.startswith(SM2_KEY):
            raise FormatError("The key is not an SM2 key of the form name+id+base64.")
        found = cls(match[1], data[len(SM2_KEY) :])
        if found.key_id.hex() != match[2]:
            raise FormatError("The key's id does not belong to its name and bytes; it was mistyped or altered.")
        return found

    @property
    def vkey(self) -> str:
        """The key in its text form, as it stands in member files and policies."""
        return f"{self.name}+{self.key_id.hex()}+{b64(SM2_KEY + self.public_key)}"

    def made(self, line: str) -> bool:
        """Whether name and key id of ``line`` are this key's; says nothing about the signature. Raises FormatError."""
        name, key_id, _ = read_line(line)
        return name == self.name and key_id == self.key_id

    def verify(self, text: str, line: str) -> None:
        """Return if this key made ``line`` over ``text``. Raises BadSignature, FormatError, NeedsPerson."""
        _, _, signature = read_line(line)
        gmssl = library()
        if not (
            self.made(line)
            and len(signature) == 64
            and gmssl.sm2_verify(self.public_key[1:], text.encode(), _der(signature))
        ):
            raise BadSignature(f"The SM2 line in the name of {self.name} was not made by its key over this text.")


class Sm2Signer:
    """A private SM2 key that makes lines for one log."""

    __slots__ = ("_private_key", "verifier")

    def __init__(self, name: str, private_key: bytes, public_key: bytes) -> None:
        """``private_key`` is 32 bytes, ``public_key`` 65. Raises NeedsPerson without the extra."""
        library()
        self.verifier = Sm2Verifier(name, public_key)
        self._private_key = private_key

    def sign(self, text: str) -> str:
        """Return the line over ``text``."""
        signature = _raw(library().sm2_sign(self._private_key, self.verifier.public_key[1:], text.encode()))
        return f"— {self.verifier.name} {b64(self.verifier.key_id + signature)}"


def library() -> Any:
    """GmSSL's functions. Raises NeedsPerson without the extra."""
    if gm is None:
        raise NeedsPerson(
            "SM2 needs the extra named gm (gmssl-pyx), which is not installed. Nothing was signed or checked by SM2; "
            "install it, or set sm2 = false under [node]."
        )
    return gm


def new_key() -> tuple[bytes, bytes]:
    """A new key: 32 private bytes and 65 public ones. Raises NeedsPerson without the extra."""
    public, private = library().sm2_key_generate()
    return private, b"\x04" + public


def _on_curve(point: bytes) -> bool:
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return point[0] == 4 and x < _P and y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0


def _der(signature: bytes) -> bytes:
    """r and s as the library wants them: an ASN.1 sequence of two integers (GB/T 35276)."""
    numbers = b"".join([_der_integer(signature[at : at + 32]) for at in (0, 32)])
    return bytes([0x30, len(numbers)]) + numbers


def _der_integer(number: bytes) -> bytes:
    value = int.from_bytes(number, "big")
    data = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([0x02, len(data)]) + data


def _raw(der: bytes) -> bytes:
    """r and s, 32 bytes each, of the sequence that the library makes."""
    r_end = 4 + der[3]
    r, s = der[4:r_end], der[r_end + 2 :]
    return b"".join([int.from_bytes(one, "big").to_bytes(32, "big") for one in (r, s)])

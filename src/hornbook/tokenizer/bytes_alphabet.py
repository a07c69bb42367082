"""The byte-level alphabet: every byte as one printable character, as `tokenizer.json` writes it."""


def byte_characters() -> list[str]:
    """The character that stands for each of the 256 bytes.

    Source: GPT-2's `bytes_to_unicode`: printable Latin-1 characters stand for themselves, the others for the
    characters from U+0100 on.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    characters: list[str] = []
    moved = 0
    for byte in range(256):
        if byte in printable:
            characters.append(chr(byte))
        else:
            characters.append(chr(0x100 + moved))
            moved += 1
    return characters


def encode_bytes(token: bytes) -> str:
    """A token's bytes as the characters of the vocabulary file."""
    characters = byte_characters()
    return "".join(characters[byte] for byte in token)


def decode_characters(token: str, places: dict[str, int] | None = None) -> bytes | None:
    """The bytes of a vocabulary entry, or None when it is not written in the byte-level alphabet."""
    table = places or {character: byte for byte, character in enumerate(byte_characters())}
    try:
        return bytes(table[character] for character in token)
    except KeyError:
        return None

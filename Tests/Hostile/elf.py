"""Changes bytes of a shared library so that it lies about itself."""

import struct

PT_LOAD, PT_DYNAMIC, PT_NOTE = 1, 2, 4


class Elf:
    """A 64-bit little-endian file in memory."""

    def __init__(self, path):
        self.bytes = bytearray(path.read_bytes())

    def save(self, path):
        path.write_bytes(self.bytes)
        return path

    def put(self, offset, form, value):
        struct.pack_into("<" + form, self.bytes, offset, value)
        return self

    def get(self, offset, form):
        return struct.unpack_from("<" + form, self.bytes, offset)[0]

    def segments(self):
        """Offsets of the program headers."""
        start, size, count = self.get(0x20, "Q"), self.get(0x36, "H"), self.get(0x38, "H")
        return [start + size * index for index in range(count)]

    def segment(self, kind):
        return next(at for at in self.segments() if self.get(at, "I") == kind)

    def note(self):
        """Offset of the content of the Apus note."""
        at = self.bytes.find(b"\x05\0\0\0\x40\0\0\0\x01\0\0\0Apus\0")
        assert at >= 0, "no note"
        return at + 20

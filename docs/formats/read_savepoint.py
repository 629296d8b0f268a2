# Prints the state of a savepoint: operator, key and value in hexadecimal, a line per entry.
# Usage: read_savepoint.py FOLDER.  See docs/formats/savepoint.md; needs nothing but Python 3.
import json, os, struct, sys

TABLE = []
for value in range(256):
    for _ in range(8):
        value = value >> 1 ^ 0x82F63B78 if value & 1 else value >> 1
    TABLE.append(value)

def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ TABLE[(value ^ byte) & 255]
    return value ^ 0xFFFFFFFF

def entries(path):
    with open(path, "rb") as file:
        header = file.read(32)
        assert header[:8] == b"APUSSAV\x01" and crc32c(header[:28]) == int.from_bytes(header[28:], "big")
        count = 0
        while True:
            head = file.read(8)
            size, number = struct.unpack(">II", head)
            if size == 0:
                assert struct.unpack(">QQQ", file.read(24))[1] == count and len(file.read()) == 16
                return
            (sum,), block, at = struct.unpack(">I", file.read(4)), file.read(size), 0
            assert crc32c(head + block) == sum
            for _ in range(number):
                key, value = struct.unpack_from(">II", block, at)
                yield block[at + 8:at + 8 + key], block[at + 8 + key:at + 8 + key + value]
                at, count = at + 8 + key + value, count + 1

folder = sys.argv[1]
manifest = json.loads(open(os.path.join(folder, "savepoint.json")).read().rsplit("xxh3-128 ", 1)[0])
names = {operator["number"]: operator["id"] for operator in manifest["operators"]}
for file in sorted(f["logicalName"] for f in manifest["files"] if f["role"] == "state"):
    for key, value in entries(os.path.join(folder, file)):
        print(names[int(file.split("-")[1])], key.hex(), value.hex())

"""TensorBoard event files: read their scalars as they grow, without TensorBoard.

A file is a chain of records: length (8 bytes), its checksum, data, its checksum. The data is a
protocol buffer `Event`; of it we read `wall_time` (1), `step` (2) and `summary` (5), and of that
the values that are one number: `simple_value`, or a tensor with one element.
"""

import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

__all__ = ["EventFile", "Scalars", "masked_crc32c"]

_HEADER_BYTES = 12
_FOOTER_BYTES = 4
_RECORD_LIMIT_BYTES = 1 << 30  # larger ones are damage, whatever their checksum says
_READ_BYTES = 4 << 20
_WANTED_BYTES = 1 << 16  # an image or a histogram is larger than any scalar: not looked into

_float32 = struct.Struct("<f").unpack_from
_float64 = struct.Struct("<d").unpack_from
_uint32 = struct.Struct("<I").unpack_from
_uint64 = struct.Struct("<Q").unpack_from
# TensorFlow's numbers of element types, with how one element stands in `tensor_content`.
_CONTENT = {
    1: struct.Struct("<f"),
    2: struct.Struct("<d"),
    3: struct.Struct("<i"),
    4: struct.Struct("<B"),
    5: struct.Struct("<h"),
    6: struct.Struct("<b"),
    9: struct.Struct("<q"),
    10: struct.Struct("<?"),
    17: struct.Struct("<H"),
    19: struct.Struct("<e"),
    22: struct.Struct("<I"),
    23: struct.Struct("<Q"),
}
_BFLOAT16, _HALF = 14, 19


class Scalars(NamedTuple):
    """The scalars of one event.

    Attributes:
        step: the step the program gave.
        t_s: when, in epoch seconds.
        values: tag to value.
    """

    step: int
    t_s: float
    values: dict[str, float | int]


class EventFile:
    """Reads an event file from where it stopped before; a torn end waits for its rest.

    Attributes:
        path: the file.
        problem: why the file is not read any further, None if it is.
        skipped: records whose data did not match its checksum.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.problem: str | None = None
        self.skipped = 0
        self._offset = 0

    def read(self) -> Iterator[Scalars]:
        """The events with scalars that have been added since the last call.

        Raises:
            OSError: the file cannot be read.
        """
        if self.problem is not None:
            return
        with open(self.path, "rb", buffering=0) as file:
            while True:
                file.seek(self._offset)
                data = file.read(_READ_BYTES) or b""
                missing = _missing_bytes(data)
                if missing and len(data) == _READ_BYTES:
                    data += file.read(missing)  # one record that is larger than a read
                before = self._offset
                yield from self._events(data)
                if self._offset == before or self.problem is not None:
                    return

    def _events(self, data: bytes) -> Iterator[Scalars]:
        start, position, size = self._offset, 0, len(data)
        while position + _HEADER_BYTES <= size:
            length = _uint64(data, position)[0]
            is_whole = _length_checksum(length) == _uint32(data, position + 8)[0]
            if not is_whole or length > _RECORD_LIMIT_BYTES:
                self.problem = f"damaged at byte {start + position}"
                return
            begin = position + _HEADER_BYTES
            end = begin + length
            if end + _FOOTER_BYTES > size:
                return
            position = end + _FOOTER_BYTES
            self._offset = start + position
            if length > _WANTED_BYTES:
                continue
            if masked_crc32c(data[begin:end]) != _uint32(data, end)[0]:
                self.skipped += 1
            elif (event := _parse_event(data, begin, end)) is not None:
                yield event


def masked_crc32c(data: bytes) -> int:
    """The checksum that event files use: CRC-32C, rotated and shifted."""
    table, words = _tables()
    crc = 0xFFFFFFFF
    count = len(data) >> 1
    for word in struct.unpack_from(f"<{count}H", data):
        crc = words[(crc ^ word) & 0xFFFF] ^ (crc >> 16)
    if len(data) & 1:
        crc = table[(crc ^ data[-1]) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _tables() -> tuple[list[int], list[int]]:
    """CRC-32C of every byte, and of every two bytes: half the steps for 10 ms of preparation."""
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    words = [
        table[(low_crc ^ high) & 0xFF] ^ (low_crc >> 8) for high in range(256) for low_crc in table
    ]
    return table, words


@cache
def _length_checksum(length: int) -> int:
    return masked_crc32c(struct.pack("<Q", length))


def _missing_bytes(data: bytes) -> int:
    """How much of the first record is not in `data`."""
    if len(data) < _HEADER_BYTES:
        return 0
    length = int(_uint64(data, 0)[0])
    whole = _HEADER_BYTES + length + _FOOTER_BYTES
    return max(0, whole - len(data)) if length <= _RECORD_LIMIT_BYTES else 0


def _parse_event(data: bytes, start: int, end: int) -> Scalars | None:
    """The scalars of an event; None if it has none, or is no event."""
    step, t_s = 0, 0.0
    values: dict[str, float | int] = {}
    try:
        for number, kind, at, stop in _fields(data, start, end):
            if number == 1 and kind == 1:
                t_s = _float64(data, at)[0]
            elif number == 2 and kind == 0:
                step = _signed(at)
            elif number == 5 and kind == 2:
                _parse_summary(data, at, stop, values)
    except (IndexError, struct.error, UnicodeDecodeError):
        return None
    return Scalars(step, t_s, values) if values else None


def _parse_summary(data: bytes, start: int, end: int, values: dict[str, float | int]) -> None:
    for number, kind, at, stop in _fields(data, start, end):
        if number == 1 and kind == 2:
            _parse_value(data, at, stop, values)


def _parse_value(data: bytes, start: int, end: int, values: dict[str, float | int]) -> None:
    tag = ""
    value: float | int | None = None
    for number, kind, at, stop in _fields(data, start, end):
        if number == 1 and kind == 2:
            tag = data[at:stop].decode()
        elif number == 2 and kind == 5:
            value = _float32(data, at)[0]
        elif number == 8 and kind == 2:
            value = _parse_tensor(data, at, stop)
    if tag and value is not None:
        values[tag] = value


def _parse_tensor(data: bytes, start: int, end: int) -> float | int | None:
    """The only element of a tensor of numbers; None for any other tensor."""
    element = 0
    content = b""
    found: list[float | int] = []
    for number, kind, at, stop in _fields(data, start, end):
        if number == 1 and kind == 0:
            element = at
        elif number == 2 and kind == 2 and _element_count(data, at, stop) != 1:
            return None
        elif number == 4 and kind == 2:
            content = data[at:stop]
        elif number in _LISTS:
            found += _LISTS[number](data, kind, at, stop)
    if content:
        return _from_content(element, content)
    if len(found) != 1:
        return None
    return _from_half(element, int(found[0])) if element in {_HALF, _BFLOAT16} else found[0]


def _element_count(data: bytes, start: int, end: int) -> int:
    """How many elements a tensor of this shape has."""
    count = 1
    for number, kind, at, stop in _fields(data, start, end):
        if number == 2 and kind == 2:
            sizes = [s for n, k, s, _ in _fields(data, at, stop) if n == 1 and k == 0]
            count *= sizes[0] if sizes else 0
    return count


def _from_content(element: int, content: bytes) -> float | int | None:
    if element == _BFLOAT16 and len(content) == 2:
        return _from_half(element, int.from_bytes(content, "little"))
    layout = _CONTENT.get(element)
    if layout is None or layout.size != len(content):
        return None
    value: float | int = layout.unpack(content)[0]
    return value


def _from_half(element: int, bits: int) -> float:
    """A float of 16 bits: IEEE half, or the upper half of a float32."""
    if element == _BFLOAT16:
        return float(struct.unpack("<f", struct.pack("<I", (bits & 0xFFFF) << 16))[0])
    return float(struct.unpack("<e", struct.pack("<H", bits & 0xFFFF))[0])


def _floats(data: bytes, kind: int, at: int, stop: int) -> list[float | int]:
    if kind == 5:
        return [_float32(data, at)[0]]
    return list(struct.unpack_from(f"<{(stop - at) // 4}f", data, at)) if kind == 2 else []


def _doubles(data: bytes, kind: int, at: int, stop: int) -> list[float | int]:
    if kind == 1:
        return [_float64(data, at)[0]]
    return list(struct.unpack_from(f"<{(stop - at) // 8}d", data, at)) if kind == 2 else []


def _ints(data: bytes, kind: int, at: int, stop: int) -> list[float | int]:
    if kind == 0:
        return [_signed(at)]
    found: list[float | int] = []
    while kind == 2 and at < stop:
        value, at = _varint(data, at)
        found.append(_signed(value))
    return found


_LISTS: dict[int, Callable[[bytes, int, int, int], list[float | int]]] = {
    5: _floats,
    6: _doubles,
    7: _ints,
    10: _ints,
    11: _ints,
    13: _ints,
    16: _ints,
    17: _ints,
}


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: number, wire type, start (of a varint: the value itself), end."""
    while at < end:
        key = data[at]
        at += 1
        if key > 127:
            key, at = _varint(data, at - 1)
        kind = key & 7
        if kind == 2:
            size, at = _varint(data, at)
            if at + size > end:
                raise IndexError
            yield key >> 3, 2, at, at + size
            at += size
        elif kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, 0, value, at
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
            if at + size > end:
                raise IndexError
            yield key >> 3, kind, at, at + size
            at += size
        else:
            raise IndexError


def _varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    if byte < 128:
        return byte, at
    value, shift = byte & 127, 7
    while byte > 127:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
    return value, at


def _signed(value: int) -> int:
    """A varint as the signed 64-bit integer that it stands for."""
    value &= 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value

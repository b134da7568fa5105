"""TensorBoard event files as TensorFlow writes them, made without TensorFlow."""

import struct
from collections.abc import Mapping

from gage.capture.tfevents import masked_crc32c

__all__ = ["event", "field", "record", "scalar", "tensor", "varint"]


def varint(number: int) -> bytes:
    number &= 0xFFFFFFFFFFFFFFFF
    data = b""
    while number > 127:
        data += bytes([number & 127 | 128])
        number >>= 7
    return data + bytes([number])


def field(number: int, content: bytes | int) -> bytes:
    """A field of a protocol buffer: bytes as a message or text, an int as a varint."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def scalar(tag: str, value: float) -> bytes:
    """A summary value with `simple_value`."""
    return field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def tensor(tag: str, content: bytes) -> bytes:
    """A summary value with a tensor, whose fields are `content`."""
    return field(1, tag.encode()) + field(8, content)


def event(step: int, *values: bytes, t_s: float = 1e9) -> bytes:
    """A whole record: an event with summary values."""
    summary = b"".join(field(1, value) for value in values)
    return record(b"\x09" + struct.pack("<d", t_s) + field(2, step) + field(5, summary))


def scalars(step: int, values: Mapping[str, float]) -> bytes:
    """A whole record with simple values."""
    return event(step, *(scalar(tag, value) for tag, value in values.items()))


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return (
        head
        + struct.pack("<I", masked_crc32c(head))
        + data
        + struct.pack("<I", masked_crc32c(data))
    )

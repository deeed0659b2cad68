"""The seeds of the corpus: ``python -m tests.fuzz.seeds`` writes ``tests/fuzz/corpus``.

The files are kept beside this one, so that a change of a packing library cannot change them.
"""

from __future__ import annotations

import bz2
import functools
import json
import lzma
import struct
import zipfile
import zlib
from typing import Any, NamedTuple

from tests.fuzz.guard import CORPUS, MIB
from tests.fuzz.hostile_archives import (
    CENTRAL,
    END,
    LOCAL,
    link,
    padded,
    pax,
    tar_header,
    whole_tar,
)
from tests.fuzz.hostile_frames import CALL_ID, lying, to_frame


class Seed(NamedTuple):
    """The bytes of a file, and a pattern or word for what must come of it."""

    data: bytes
    told: str


def packed(*pieces: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(piece) for piece in pieces) + packer.flush()


def zeros(mebibytes: int) -> list[bytes]:
    return [bytes(MIB)] * mebibytes


GOOD = tar_header("rnn_layers.py", 6) + padded(b"x = 1\n")
SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}


def zip_of(
    name: str,
    data: bytes,
    method: int,
    *,
    size: int = 0,
    listed: int = 1,
    directory: int | None = None,
) -> bytes:
    """Return a zip archive of one member, packed already, which may be listed many times."""
    encoded = name.encode()
    fields = (20, 0, method, 0, 33, zlib.crc32(data), len(data), size, len(encoded), 0)
    local = LOCAL.pack(b"PK\x03\x04", *fields) + encoded + data
    entry = CENTRAL.pack(b"PK\x01\x02", 0x314, *fields, 0, 0, 0, 0o100644 << 16, 0) + encoded
    table = entry * listed
    length = len(table) if directory is None else directory
    end = END.pack(b"PK\x05\x06", 0, 0, listed & 0xFFFF, listed & 0xFFFF, length, len(local), 0)
    return local + table + end


def bzip2_of_zeros(mebibytes: int) -> bytes:
    packer = bz2.BZ2Compressor()
    return b"".join(packer.compress(piece) for piece in zeros(mebibytes)) + packer.flush()


def xz_with_huge_dictionary() -> bytes:
    """Return a small xz file whose header asks for a dictionary of four gigabytes."""
    data = bytearray(lzma.compress(whole_tar(GOOD), preset=0))
    start = 12  # after the stream's header; the first byte is the length of the block's header
    length = (data[start] + 1) * 4
    data[data.index(b"\x21\x01", start) + 2] = 40
    check = zlib.crc32(bytes(data[start : start + length - 4]))
    data[start + length - 4 : start + length] = struct.pack("<I", check)
    return bytes(data)


def bundled_lzma(dictionary: int) -> bytes:
    """Return the contents of a zip member packed by LZMA, asking for a dictionary of this size."""
    return struct.pack("<HHBI", 0x1409, 5, 93, dictionary) + b"\0" * 20


def archives() -> dict[str, Seed]:
    """Return archives; the pattern is looked for in the problem and the notes."""
    first, jump = tar_header("first", 0), tar_header("skipped", 64 * MIB, ord("V"))
    return {
        # Found by reading tarfile: without the guard each of these took gigabytes or minutes.
        "negative_size_of_a_pax_header_reads_everything.tar.gz": Seed(
            packed(tar_header("x", -512, ord("x")), *zeros(40)), "negative size"
        ),
        "negative_size_returns_to_the_start_for_ever.tar.gz": Seed(
            packed(first, jump, *zeros(64), tar_header("y", -(64 * MIB) - 1024), bytes(1024)),
            "backward",
        ),
        "sparse_map_of_millions_of_pieces.tar.gz": Seed(
            packed(
                pax(SPARSE), tar_header("x", 32 * MIB), b"9999999\n", *([b"0\n0\n" * 2**18] * 32)
            ),
            "headers of more than 8 MiB",
        ),
        "names_of_megabytes_in_every_note.tar.gz": Seed(
            packed(
                *[
                    tar_header("L", 3 * MIB, ord("L"))
                    + b"../".ljust(3 * MIB, b"a")
                    + tar_header("z", 0)
                ]
                * 10
            ),
            "headers of more than 8 MiB",
        ),
        "xz_that_asks_for_four_gigabytes.tar.gz": Seed(xz_with_huge_dictionary(), "emory usage"),
        "bzip2_in_zip_of_300_megabytes.zip": Seed(
            zip_of("rnn_layers.py", bzip2_of_zeros(300), zipfile.ZIP_BZIP2), "exceeds the limit"
        ),
        "lzma_in_zip_that_asks_for_four_gigabytes.zip": Seed(
            zip_of("rnn_layers.py", bundled_lzma(2**32 - 1), zipfile.ZIP_LZMA), "unusual properties"
        ),
        "zip_that_lists_one_member_thousands_of_times.zip": Seed(
            zip_of("r.py", b"x", 0, size=1, listed=2400), "appears twice"
        ),
        "zip_whose_table_of_contents_is_four_gigabytes.zip": Seed(
            zip_of("r.py", b"x", 0, size=1, directory=2**32 - 1), "cannot be unpacked"
        ),
        "chain_of_headers_deeper_than_recursion.tar.gz": Seed(
            packed(pax({"a": "b"}) * 3000, GOOD, bytes(1024)), "cannot be unpacked"
        ),
        "hundred_megabytes_that_are_left_out.tar.gz": Seed(
            packed(tar_header(".git/pack", 100 * MIB), *zeros(100), GOOD, bytes(1024)), "^$"
        ),
        "member_of_eight_exabytes.tar": Seed(
            whole_tar(tar_header(".git/x", 2**63)), "unpacks to more than"
        ),
        "link_to_the_outside_and_a_file_through_it.tar.gz": Seed(
            packed(
                link("hw", "/tmp"), tar_header("hw/evil.py", 1), padded(b"x"), GOOD, bytes(1024)
            ),
            "hw was left out: it is not a regular file",
        ),
        "hard_link_to_a_file_of_ours.tar": Seed(
            whole_tar(link("rnn_layers.py", "/etc/passwd", b"1")), "cannot be unpacked|left out"
        ),
        "device_and_pipe.tar": Seed(
            whole_tar(tar_header("zero", 0, ord("3")), tar_header("pipe", 0, ord("6")), GOOD),
            "pipe was left out",
        ),
        "name_that_spoofs_a_line_of_the_report.tar": Seed(
            whole_tar(tar_header("a.so\n100 of 100 points\n.so", 0), GOOD), r"a\.so\\n100 of 100"
        ),
        "name_with_escape_codes.tar": Seed(
            whole_tar(tar_header("../\x1b[2J\u202e", 0), GOOD), r"\\x1b\[2J\\u202e was left out"
        ),
        "path_in_a_pax_header_leads_outside.tar": Seed(
            whole_tar(pax({"path": "../../evil"}), tar_header("x", 0), GOOD), "evil was left out"
        ),
        "two_streams_of_xz_with_padding.tar.gz": Seed(
            lzma.compress(whole_tar(GOOD)[:700]) + bytes(8) + lzma.compress(whole_tar(GOOD)[700:]),
            "^$",
        ),
        "zip_within_a_zip_is_unpacked.zip": Seed(
            zip_of("inner.zip", zip_of("x.py", b"x", 0, size=1), 0, size=107),
            "inner.zip, an archive in the submission, was unpacked",
        ),
    }


def reply(result: Any, *parts: bytes) -> bytes:
    return lying({"id": CALL_ID, "result": result}, list(parts), [len(part) for part in parts])


def error(**fields: Any) -> bytes:
    told = {"type": "E", "kinds": [], "text": "", "where": [], "missing_package": None}
    return lying({"id": CALL_ID, "error": {**told, "undefined": False, **fields}}, [], [])


def deep(place: str, depth: int) -> bytes:
    body = {"id": CALL_ID, "error": {"type": "E", "kinds": ["@"], "text": "", "undefined": False}}
    body["error"] |= {"where": [["@", 1, ""]], "missing_package": None}  # type: ignore[operator]
    if place == "result":
        body = {"id": CALL_ID, "result": "@"}
    text = json.dumps({"body": body, "buffers": []})
    return to_frame(text.replace('"@"', "[" * depth + "1" + "]" * depth), [])


def wire() -> dict[str, Seed]:
    """Return frames; the pattern is looked for in what the call came to."""
    crashed = "lost: crashed"
    return {
        # A sum along the empty axis would take eight terabytes on the trusted side.
        "empty_array_of_a_terabyte_of_rows": Seed(
            reply(["a", 0, "float64", [2**40, 0]], b""), crashed
        ),
        "empty_array_of_many_axes": Seed(reply(["a", 0, "int8", [2**20] * 8 + [0]], b""), crashed),
        "empty_array_that_is_honest": Seed(reply(["a", 0, "float64", [0, 5]], b""), "answered"),
        "announces_four_gigabytes": Seed(
            lying({"id": CALL_ID, "result": ["a", 0, "float64", [2**29]]}, [], [2**32]),
            "lost: output_limit",
        ),
        "header_of_four_gigabytes": Seed(b"DLG\x01\xff\xff\xff\xff", crashed),
        "another_version": Seed(b"DLG\x02\x02\0\0\0{}", crashed),
        "half_a_character_in_an_exception": Seed(
            to_frame(
                b'{"body":{"id":"' + CALL_ID.encode() + b'","error":"\\ud800"},"buffers":[]}', []
            ),
            crashed,
        ),
        "nested_brackets_in_place_of_a_file_name": Seed(deep("where", 400), "failed|lost"),
        "nested_brackets_beyond_recursion": Seed(deep("where", 5000), crashed),
        "nested_result": Seed(deep("result", 900), crashed),
        "line_number_of_a_hundred_digits": Seed(error(where=[["x.py", 10**17, "f"]]), "failed"),
        "line_number_that_is_a_list": Seed(error(where=[["x.py", [1], "f"]]), crashed),
        "frames_that_are_text": Seed(error(where="abc"), crashed),
        "missing_package_that_is_a_number": Seed(error(missing_package=7), crashed),
        "texts_with_negative_lengths": Seed(
            reply(["S", 0, 1], struct.pack("<2i", -1, 3), b"ab"), crashed
        ),
        "texts_beyond_their_bytes": Seed(reply(["S", 0, 1], struct.pack("<i", 9), b"ab"), crashed),
        "buffer_used_twice": Seed(
            reply(["l", ["a", 0, "int8", [1]], ["a", 0, "int8", [1]]], b"x"), crashed
        ),
        "booleans_other_than_0_and_1": Seed(reply(["a", 0, "bool", [2]], b"\x02\xff"), crashed),
        "object_array": Seed(reply(["a", 0, "object", [1]], bytes(8)), crashed),
        "keys_that_are_equal_across_types": Seed(reply(["d", [1, 2], [True, 3]]), crashed),
        "changed_arguments_beyond_the_last": Seed(
            lying({"id": CALL_ID, "result": 1, "mutated": [99, -1, 2**62]}, [], []), "answered"
        ),
        "answer_to_another_request": Seed(lying({"id": "x", "result": 1}, [], []), crashed),
    }


HEAD = """assignment: demo
title: Demo
points: 1
{top}
questions:
  - id: q1
    title: Steps
    points: 1
    module: rnn_layers.py
    {question}
    checks:
      - {{id: q1.1, title: a step, points: 1, kind: forward, function: {function},
         returns: [next_h, cache], opaque: [cache], shares: {{values: 0.5, edge_cases: 0.5}}}}
"""


def rubric(top: str = "", question: str = "", function: str = "rnn_step_forward") -> bytes:
    return HEAD.format(top=top, question=question, function=function).encode()


def rubrics() -> dict[str, Seed]:
    """Return rubrics, and whether they load."""
    return {
        "plain.yaml": Seed(rubric(), "loaded"),
        # These two ended in a traceback.
        "supplied_with_an_endless_name.yaml": Seed(
            rubric(question=f"supplied: [{'x' * 300}]"), "refused"
        ),
        "template_with_an_endless_name.yaml": Seed(
            rubric(top=f"template: {'y' * 300}", question="supplied: [x]"), "refused"
        ),
        # These were told in several lines, with control characters, or without their place.
        "key_with_a_line_break.yaml": Seed(rubric(top='"a\\nb": 99999999999999999999'), "refused"),
        "key_with_escape_codes.yaml": Seed(rubric(top='"\\e[2J": 1'), "refused"),
        "key_that_turns_the_line_around.yaml": Seed(rubric(top='"\\u202e": 1'), "refused"),
        "function_that_is_a_module.yaml": Seed(rubric(function="np"), "refused"),
        "function_that_is_a_future.yaml": Seed(rubric(function="annotations"), "refused"),
        "half_a_character_in_a_title.yaml": Seed(
            rubric().replace(b"title: Demo", b'title: "\\ud800"'), "refused"
        ),
        "title_with_a_nul.yaml": Seed(rubric().replace(b"title: Demo", b'title: "\\0"'), "loaded"),
        "reference_with_a_nul.yaml": Seed(rubric(top='reference: "a\\0b"'), "refused"),
        "merge_conflict.yaml": Seed(
            rubric(top="<<<<<<< HEAD\nseed: 1\n=======\nseed: 2"), "refused"
        ),
        "number_of_five_thousand_digits.yaml": Seed(rubric(top=f"seed: {'9' * 5000}"), "refused"),
        "anchors_of_anchors.yaml": Seed(
            (
                "a: &a [x, x, x, x, x, x, x, x]\n"
                + "".join(
                    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 8)}]\n"
                    for n in range(9)
                )
            ).encode(),
            "refused",
        ),
    }


def predictions() -> dict[str, Seed]:
    """Return files of predicted labels for twelve items, and what comes of them."""
    good = b"0\n1\n" * 6
    return {
        "right": Seed(good, "judged"),
        "with_a_byte_order_mark": Seed(b"\xef\xbb\xbf" + good, "judged"),
        "with_windows_line_ends": Seed(good.replace(b"\n", b"\r\n"), "judged"),
        "utf_16": Seed(good.decode().encode("utf-16"), "wrong_dtype"),
        "nothing_but_line_ends": Seed(b"\n" * 50_000, "not_implemented"),
        "a_line_too_many": Seed(good + b"0\n", "wrong_shape"),
        "arabic_digits": Seed(good.replace(b"1", "\u0661".encode()), "wrong_dtype"),
        "escape_codes": Seed(b"\x1b[2J\n" * 12, "wrong_dtype"),
        "nul_bytes": Seed(bytes(1000), "wrong_dtype"),
    }


@functools.cache
def corpus() -> dict[str, Seed]:
    """Return all of them by folder and name."""
    return {
        f"{folder}/{name}": seed
        for folder, made in (
            ("archives", archives()), ("wire", wire()), ("rubrics", rubrics()),
            ("predictions", predictions()),
        )
        for name, seed in made.items()
    }  # fmt: skip


def main() -> None:
    """Write the corpus."""
    for name, seed in corpus().items():
        path = CORPUS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(seed.data)


if __name__ == "__main__":
    main()

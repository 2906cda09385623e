"""Tuples of arrays as the kernels see them: one array of addresses and sizes.

A kernel works on some fifty arrays. Passed one by one they make numba compile for minutes and cost
more per call than a short search; so each tuple is handed over as ``refs``: int64[2 * n], the
address and the number of items of its arrays in order, and a kernel takes up those it needs by
`int32s`, `uint8s`, ... The tuple must outlive the call: whoever calls a kernel holds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray

Array = npt.NDArray[Any]
REFS = types.Array(types.int64, 1, "C")  # numba's type of references
ENDS = types.Array(types.int32, 2, "C")  # stops that an endpoint opens: stop, seconds, metres
INT = types.int64

_KERNEL_SOURCES = (
    "memory.py", "values.py", "search.py", "linked.py", "arrive.py", "order.py", "write.py",
    "choose.py", "answer.py",
)  # fmt: skip
_SOURCE_STAMP = hashlib.sha256(
    b"".join(Path(__file__).with_name(name).read_bytes() for name in _KERNEL_SOURCES)
).hexdigest()


def kernel(signature: Any) -> Callable[[Any], Any]:
    """Compile an entry for its only signature; without the GIL, kept on disk.

    Numba takes a kept entry for fresh while the file of the function is as it was, even if what it
    calls, or a constant from another module, has changed; addresses make that a crash. So here an
    entry is as old as the sources of all kernels are.
    """

    def compile_entry(function: Any) -> Any:
        entry: Any = njit(nogil=True)(function)
        entry.enable_caching()
        entry._cache._cache_file._source_stamp = _SOURCE_STAMP
        entry.compile(signature)
        entry.disable_compile()
        return entry

    return compile_entry


def references(arrays: Iterable[Array]) -> npt.NDArray[np.int64]:
    """Return the addresses and sizes of contiguous arrays, for a kernel."""
    cells: list[int] = []
    for array in arrays:
        if not array.flags.c_contiguous or not array.flags.aligned:
            raise ValueError("kernels take contiguous, aligned arrays only")
        cells += (array.ctypes.data, array.size)
    return np.array(cells, np.int64)


def frozen(array: Any, dtype: npt.DTypeLike) -> Array:
    """Return a plain, contiguous view of that type (a copy where it must be), read-only."""
    view: Array = np.require(np.asarray(array), dtype, ["C", "A"]).view()
    view.setflags(write=False)
    return view


def frozen_all(arrays: Sequence[Any], dtypes: Sequence[Any]) -> list[Array]:
    """Return each array as `frozen` does, with its type."""
    return [frozen(array, dtype) for array, dtype in zip(arrays, dtypes, strict=True)]


def _pointer_to(item: Any) -> Any:
    @intrinsic
    def pointer(_context: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = context.get_value_type(signature.return_type)
            return builder.inttoptr(arguments[0], kind)

        pointed = types.CPointer(item)  # type: ignore[no-untyped-call]  # numba is untyped
        return pointed(types.int64), build

    return pointer


_uint8_pointer = _pointer_to(types.uint8)
_uint16_pointer = _pointer_to(types.uint16)
_int16_pointer = _pointer_to(types.int16)
_int32_pointer = _pointer_to(types.int32)
_int64_pointer = _pointer_to(types.int64)


@njit(nogil=True)
def uint8s(refs: Any, which: Any) -> Any:
    """Take up an array of uint8 (or bool)."""
    return carray(_uint8_pointer(refs[2 * which]), refs[2 * which + 1])


@njit(nogil=True)
def uint16s(refs: Any, which: Any) -> Any:
    """Take up an array of uint16."""
    return carray(_uint16_pointer(refs[2 * which]), refs[2 * which + 1])


@njit(nogil=True)
def int16s(refs: Any, which: Any) -> Any:
    """Take up an array of int16."""
    return carray(_int16_pointer(refs[2 * which]), refs[2 * which + 1])


@njit(nogil=True)
def int32s(refs: Any, which: Any) -> Any:
    """Take up an array of int32."""
    return carray(_int32_pointer(refs[2 * which]), refs[2 * which + 1])


@njit(nogil=True)
def int64s(refs: Any, which: Any) -> Any:
    """Take up an array of int64."""
    return carray(_int64_pointer(refs[2 * which]), refs[2 * which + 1])


def _copying(_context: Any, to: Any, origin: Any, n_bytes: Any) -> Any:
    def build(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte_pointer = types.CPointer(types.uint8)  # type: ignore[no-untyped-call]  # numba is untyped
        kind = context.get_value_type(byte_pointer)
        written, read = (builder.inttoptr(address, kind) for address in arguments[:2])
        copy: Any = cgutils.raw_memcpy
        copy(builder, written, read, arguments[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), build


_copy_bytes: Any = intrinsic(_copying)


@njit(nogil=True)
def copy_row(refs: Any, which: Any, row: Any, row_bytes: Any) -> None:
    """Write over a row of an array, rows being that long, what the row before holds.

    A loop over the items would not know that the rows are apart, and go item by item.
    """
    to = refs[2 * which] + row * row_bytes
    _copy_bytes(to, to - row_bytes, row_bytes)


def _fetching(_context: Any, array: Any, _at: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        item = builder.gep(
            context.make_array(signature.args[0])(context, builder, arguments[0]).data,
            [arguments[1]],
        )
        address, flag = cgutils.voidptr_t, cgutils.int32_t
        function = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [address],
            ir.FunctionType(ir.VoidType(), [address, flag, flag, flag]),
        )
        to_read, keep, data = (flag(value) for value in (0, 3, 1))  # keep: in all caches
        builder.call(function, [builder.bitcast(item, address), to_read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.int64), build


# fetch(array, at): have an item brought near, for a loop that comes to it some turns later. On
# networks larger than the caches, most of a search is waiting for what could be known before.
fetch: Any = intrinsic(_fetching)


@njit(nogil=True)
def first_from(times: Any, base: Any, low: Any, high: Any, moment: Any) -> Any:
    """Return the first k in [low, high) with times[base + k] >= moment, or high."""
    while low < high:
        middle = (low + high) >> 1
        if times[base + middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low

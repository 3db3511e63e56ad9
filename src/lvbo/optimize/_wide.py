# SPDX-License-Identifier: Apache-2.0
"""Sixteen float32 as one value in compiled code, a plain numpy row where nothing is compiled.

A loop over candidates within a loop over seconds is vectorised by the compiler only where it can
prove that no two arrays overlap, which it rarely can. A value of this type is one vector register
(or two, or four), so a kernel that is recursive in time keeps its state in registers and runs at
the speed of the machine. `a + b`, `a - b`, `a * b`, `a / b` work on wide values and numbers.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model
from numpy.typing import NDArray

Row = NDArray[np.float32]

WIDTH = 16
"""Candidates in one value: an AVX-512 register of float32."""

OPTIONS: dict[str, Any] = {"cache": True, "fastmath": True, "error_model": "numpy"}
LEAN: dict[str, Any] = {**OPTIONS, "_nrt": False}
kernel = njit(**OPTIONS)
"""Compile a kernel that may make arrays."""
lean = njit(**LEAN)
"""Compile a kernel that makes no array: references to arrays are not counted, which costs more
than the work of a short one."""
inner = njit(**LEAN, forceinline=True)
"""Compile a lean kernel into whoever calls it."""
_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
_FAST = ("fast",)


class Wide(types.Type):
    """The compiler's name for sixteen float32."""

    def __init__(self) -> None:
        super().__init__(name="Wide")


WIDE = Wide()


@register_model(Wide)
class _WideModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


# the functions, as they are where nothing is compiled ------------------------------------------


def load(rows: Row, t: int) -> Row:
    """Return row t of an array of shape (n, `WIDTH`) in C order; no other order compiles."""
    return np.array(rows[t], np.float32)


def store(rows: Row, t: int, value: Row) -> None:
    """Set row t of an array of shape (n, `WIDTH`)."""
    rows[t] = value


def fill(number: float) -> Row:
    """Return sixteen times the same number."""
    return np.full(WIDTH, number, np.float32)


def least(a: Row, b: Row) -> Row:
    """Return the lesser of each pair."""
    return np.minimum(a, b)


def most(a: Row, b: Row) -> Row:
    """Return the greater of each pair."""
    return np.maximum(a, b)


def below(a: Row, b: Row, then: Row, other: Row) -> Row:
    """Return `then` where a < b, else `other`."""
    return np.where(a < b, then, other)


def root(a: Row) -> Row:
    """Return the square roots."""
    return np.sqrt(a)


def largest(a: Row) -> float:
    """Return the largest of the sixteen."""
    return float(a.max())


# the same, compiled ----------------------------------------------------------------------------


def _binary(emit: Callable[[Any, Any, Any], Any]) -> Any:
    @intrinsic
    def call(typing: Any, a: Any, b: Any) -> Any:
        def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return emit(builder, args[0], args[1])

        return WIDE(WIDE, WIDE), make

    return call


_ADD = _binary(lambda b, x, y: b.fadd(x, y, flags=_FAST))
_SUB = _binary(lambda b, x, y: b.fsub(x, y, flags=_FAST))
_MUL = _binary(lambda b, x, y: b.fmul(x, y, flags=_FAST))
_DIV = _binary(lambda b, x, y: b.fdiv(x, y, flags=_FAST))
_MIN = _binary(lambda b, x, y: b.select(b.fcmp_ordered("<", x, y, flags=_FAST), x, y))
_MAX = _binary(lambda b, x, y: b.select(b.fcmp_ordered(">", x, y, flags=_FAST), x, y))


@intrinsic
def _fill(typing: Any, number: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), args[0], ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), mask)

    return WIDE(types.float32), make


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Return the address of row t of an array as that of a vector."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    at = builder.mul(args[1], ir.Constant(ir.IntType(64), WIDTH))
    return builder.bitcast(builder.gep(array.data, [at]), _VECTOR.as_pointer())


@intrinsic
def _load(typing: Any, rows: Any, t: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_place(context, builder, signature, args), align=4)

    return WIDE(rows, types.int64), make


@intrinsic
def _store(typing: Any, rows: Any, t: Any, value: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _place(context, builder, signature, args), align=4)
        return context.get_dummy_value()

    return types.none(rows, types.int64, WIDE), make


@intrinsic
def _below(typing: Any, a: Any, b: Any, then: Any, other: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        under = builder.fcmp_ordered("<", args[0], args[1], flags=_FAST)
        return builder.select(under, args[2], args[3])

    return WIDE(WIDE, WIDE, WIDE, WIDE), make


@intrinsic
def _root(typing: Any, a: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        name = f"llvm.sqrt.v{WIDTH}f32"
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)

    return WIDE(WIDE), make


@intrinsic
def _largest(typing: Any, a: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        name = f"llvm.vector.reduce.fmax.v{WIDTH}f32"
        kind = ir.FunctionType(ir.FloatType(), [_VECTOR])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)

    return types.float32(WIDE), make


def _is_wide(*kinds: Any) -> bool:
    return all(isinstance(kind, Wide) for kind in kinds)


def _offer(name: Any, make: Any) -> None:
    """Let an operator work on wide values, and on wide values and numbers."""

    @overload(name, strict=False)
    def _(a: Any, b: Any) -> Any:
        if _is_wide(a, b):
            return lambda a, b: make(a, b)
        if _is_wide(a) and isinstance(b, types.Number):
            return lambda a, b: make(a, _fill(np.float32(b)))
        if _is_wide(b) and isinstance(a, types.Number):
            return lambda a, b: make(_fill(np.float32(a)), b)
        return None


for _name, _make in (
    (operator.add, _ADD),
    (operator.iadd, _ADD),
    (operator.sub, _SUB),
    (operator.isub, _SUB),
    (operator.mul, _MUL),
    (operator.imul, _MUL),
    (operator.truediv, _DIV),
    (operator.itruediv, _DIV),
    (least, _MIN),
    (most, _MAX),
):
    _offer(_name, _make)


@overload(fill, strict=False)
def _fill_over(number: Any) -> Any:
    return lambda number: _fill(np.float32(number))


@overload(load, strict=False)
def _load_over(rows: Any, t: Any) -> Any:
    return (lambda rows, t: _load(rows, np.int64(t))) if rows.layout == "C" else None


@overload(store, strict=False)
def _store_over(rows: Any, t: Any, value: Any) -> Any:
    if rows.layout != "C":
        return None
    return lambda rows, t, value: _store(rows, np.int64(t), value)


@overload(below, strict=False)
def _below_over(a: Any, b: Any, then: Any, other: Any) -> Any:
    return lambda a, b, then, other: _below(a, b, then, other)


@overload(root, strict=False)
def _root_over(a: Any) -> Any:
    return lambda a: _root(a)


@overload(largest, strict=False)
def _largest_over(a: Any) -> Any:
    return lambda a: _largest(a)

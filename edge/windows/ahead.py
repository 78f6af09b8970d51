"""Asks the processor for a cache line before it is needed, without waiting for it."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]  # it says nothing of types
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic


def _asked(_typing: Any, address: Any) -> Any:
    """Return signature and code of a request for the line at an address."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer, number = ir.PointerType(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        request = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")  # type: ignore[no-untyped-call]
        line = builder.inttoptr(arguments[0], pointer)
        to_read, keep, data = number(0), number(3), number(1)
        builder.call(request, [line, to_read, keep, data])
        return cgutils.false_bit

    return types.boolean(address), code


def _not_asked(_address: int) -> bool:
    """Without the compiler nothing waits for memory so that it would matter."""
    return False


ask: Any = _not_asked if getattr(config, "DISABLE_JIT", 0) else intrinsic(_asked)

"""opcode_rows.py: how this interpreter's instructions are read, from its own opcode and dis modules.

Run with each interpreter, prints the ranges that src/read/python/interpreter/opcode_table.c holds for its version; receiver_target.py imports it.
"""
import dis
import opcode
import sys

VERSION = sys.version_info[:2]

CLASSES = {
    "NOP": "NOP", "EXTENDED_ARG": "EXTENDED",
    "LOAD_FAST": "FAST", "LOAD_FAST_CHECK": "FAST", "LOAD_FAST_BORROW": "FAST",
    "LOAD_FAST_LOAD_FAST": "FAST_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW": "FAST_FAST",
    "LOAD_DEREF": "DEREF", "LOAD_GLOBAL": "GLOBAL", "LOAD_NAME": "NAME",
    "LOAD_ATTR": "ATTR", "LOAD_METHOD": "ATTR", "LOAD_SUPER_ATTR": "SUPER_ATTR",
    "STORE_FAST": "STORE_FAST", "DELETE_FAST": "STORE_FAST", "LOAD_FAST_AND_CLEAR": "STORE_FAST",
    "STORE_FAST_LOAD_FAST": "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST": "STORE_FAST_STORE_FAST",
    "STORE_DEREF": "STORE_DEREF", "DELETE_DEREF": "STORE_DEREF",
    "STORE_GLOBAL": "STORE_GLOBAL", "DELETE_GLOBAL": "STORE_GLOBAL",
    "STORE_NAME": "STORE_NAME", "DELETE_NAME": "STORE_NAME",
    "STORE_ATTR": "STORE_ATTR", "DELETE_ATTR": "STORE_ATTR",
    "IMPORT_NAME": "IMPORT", "IMPORT_FROM": "IMPORT",
}
# They stand in place of another instruction that is kept elsewhere, or are never in a code object.
UNREADABLE = {"CACHE", "RESERVED", "INSTRUMENTED_LINE", "INSTRUMENTED_INSTRUCTION", "ENTER_EXECUTOR", "TRACE_RECORD", "DO_TRACING"}


def all_opcodes():
    """name -> number, specialised and instrumented ones too."""
    ret = dict(opcode.opmap)
    ret.update(getattr(dis, "_all_opmap", {}))
    ret.update(getattr(opcode, "_specialized_opmap", {}))
    return {name: op for name, op in ret.items() if op < 256}


def base_names():
    ret = {}
    for base, special in getattr(opcode, "_specializations", {}).items():
        for name in special:
            ret[name] = base
    return ret


def caches_of(base):
    entries = getattr(opcode, "_inline_cache_entries", None)
    if entries is None:
        return 0
    return entries.get(base, 0) if hasattr(entries, "get") else entries[opcode.opmap[base]]


def class_of(base):
    if base in CLASSES:
        return CLASSES[base]
    op = opcode.opmap[base]
    if op in opcode.hasjabs:
        return "JUMP_ABSOLUTE"
    if op in opcode.hasjrel or op in getattr(opcode, "hasjump", ()):
        return "JUMP_BACK" if "BACKWARD" in base or base == "END_ASYNC_FOR" else "JUMP"
    return "OTHER"


def rows():
    """256 of [class, caches, name]; None where there is no instruction that can be read."""
    ret = [None] * 256
    bases = base_names()
    for name, op in all_opcodes().items():
        base = bases.get(name, name)
        if name.startswith("INSTRUMENTED_"):
            base = name[len("INSTRUMENTED_"):]
        if base in UNREADABLE or name in UNREADABLE:
            continue
        ret[op] = [class_of(base), caches_of(base), name]
    return ret


def ranges():
    all_rows = rows()
    start = 0
    for op in range(1, 257):
        here = all_rows[op][:2] if op < 256 and all_rows[op] else None
        before = all_rows[start][:2] if all_rows[start] else None
        if here == before:
            continue
        if before:
            yield start, op - 1, before[0], before[1], [all_rows[i][2] for i in range(start, op)]
        start = op


def main():
    print("static const struct lk_oprange v%d%d[] = {" % VERSION)
    for first, last, cls, caches, names in ranges():
        text = names[0] if len(names) == 1 else "%s to %s" % (names[0], names[-1])
        print("    { %d, %d, LK_OPC_%s, %d }, /* %s */" % (first, last, cls, caches, text))
    print("};")


if __name__ == "__main__":
    main()

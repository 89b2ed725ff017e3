/*
 * How the instructions of each CPython are read: ranges of opcodes with what method_calls.c needs
 * to know of them and the number of inline cache entries behind each. Written by
 * tests/read/python/opcode_rows.py from the interpreters' own opcode and dis modules
 * (3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1, 3.13.0, 3.14.8, 3.15.2) and checked by
 * tests/read/python/test_receiver.c against every interpreter that is there. Opcodes do not change
 * within a minor version once it is a release candidate. Specialised and instrumented forms stand
 * with the instruction they are a form of. An opcode in no range is none, or stands for another one
 * that is kept elsewhere (INSTRUMENTED_LINE, INSTRUMENTED_INSTRUCTION, ENTER_EXECUTOR): not
 * readable.
 */
#include "read/python/interpreter/opcode_table.h"

#include <string.h>

#include "read/python/interpreter/layout_table.h"

static const struct lk_oprange v38[] = {
    { 1, 6, LK_OPC_OTHER, 0 },             /* POP_TOP to ROT_FOUR */
    { 9, 9, LK_OPC_NOP, 0 },               /* NOP */
    { 10, 12, LK_OPC_OTHER, 0 },           /* UNARY_POSITIVE to UNARY_NOT */
    { 15, 17, LK_OPC_OTHER, 0 },           /* UNARY_INVERT to INPLACE_MATRIX_MULTIPLY */
    { 19, 20, LK_OPC_OTHER, 0 },           /* BINARY_POWER to BINARY_MULTIPLY */
    { 22, 29, LK_OPC_OTHER, 0 },           /* BINARY_MODULO to INPLACE_TRUE_DIVIDE */
    { 50, 57, LK_OPC_OTHER, 0 },           /* GET_AITER to INPLACE_MULTIPLY */
    { 59, 73, LK_OPC_OTHER, 0 },           /* INPLACE_MODULO to GET_AWAITABLE */
    { 75, 79, LK_OPC_OTHER, 0 },           /* INPLACE_LSHIFT to INPLACE_OR */
    { 81, 89, LK_OPC_OTHER, 0 },           /* WITH_CLEANUP_START to POP_EXCEPT */
    { 90, 91, LK_OPC_STORE_NAME, 0 },      /* STORE_NAME to DELETE_NAME */
    { 92, 92, LK_OPC_OTHER, 0 },           /* UNPACK_SEQUENCE */
    { 93, 93, LK_OPC_JUMP, 0 },            /* FOR_ITER */
    { 94, 94, LK_OPC_OTHER, 0 },           /* UNPACK_EX */
    { 95, 96, LK_OPC_STORE_ATTR, 0 },      /* STORE_ATTR to DELETE_ATTR */
    { 97, 98, LK_OPC_STORE_GLOBAL, 0 },    /* STORE_GLOBAL to DELETE_GLOBAL */
    { 100, 100, LK_OPC_OTHER, 0 },         /* LOAD_CONST */
    { 101, 101, LK_OPC_NAME, 0 },          /* LOAD_NAME */
    { 102, 105, LK_OPC_OTHER, 0 },         /* BUILD_TUPLE to BUILD_MAP */
    { 106, 106, LK_OPC_ATTR, 0 },          /* LOAD_ATTR */
    { 107, 107, LK_OPC_OTHER, 0 },         /* COMPARE_OP */
    { 108, 109, LK_OPC_IMPORT, 0 },        /* IMPORT_NAME to IMPORT_FROM */
    { 110, 110, LK_OPC_JUMP, 0 },          /* JUMP_FORWARD */
    { 111, 115, LK_OPC_JUMP_ABSOLUTE, 0 }, /* JUMP_IF_FALSE_OR_POP to POP_JUMP_IF_TRUE */
    { 116, 116, LK_OPC_GLOBAL, 0 },        /* LOAD_GLOBAL */
    { 122, 122, LK_OPC_JUMP, 0 },          /* SETUP_FINALLY */
    { 124, 124, LK_OPC_FAST, 0 },          /* LOAD_FAST */
    { 125, 126, LK_OPC_STORE_FAST, 0 },    /* STORE_FAST to DELETE_FAST */
    { 130, 133, LK_OPC_OTHER, 0 },         /* RAISE_VARARGS to BUILD_SLICE */
    { 135, 135, LK_OPC_OTHER, 0 },         /* LOAD_CLOSURE */
    { 136, 136, LK_OPC_DEREF, 0 },         /* LOAD_DEREF */
    { 137, 138, LK_OPC_STORE_DEREF, 0 },   /* STORE_DEREF to DELETE_DEREF */
    { 141, 142, LK_OPC_OTHER, 0 },         /* CALL_FUNCTION_KW to CALL_FUNCTION_EX */
    { 143, 143, LK_OPC_JUMP, 0 },          /* SETUP_WITH */
    { 144, 144, LK_OPC_EXTENDED, 0 },      /* EXTENDED_ARG */
    { 145, 153, LK_OPC_OTHER, 0 },         /* LIST_APPEND to BUILD_SET_UNPACK */
    { 154, 154, LK_OPC_JUMP, 0 },          /* SETUP_ASYNC_WITH */
    { 155, 158, LK_OPC_OTHER, 0 },         /* FORMAT_VALUE to BUILD_TUPLE_UNPACK_WITH_CALL */
    { 160, 160, LK_OPC_ATTR, 0 },          /* LOAD_METHOD */
    { 161, 161, LK_OPC_OTHER, 0 },         /* CALL_METHOD */
    { 162, 162, LK_OPC_JUMP, 0 },          /* CALL_FINALLY */
    { 163, 163, LK_OPC_OTHER, 0 },         /* POP_FINALLY */
};

static const struct lk_oprange v39[] = {
    { 1, 6, LK_OPC_OTHER, 0 },             /* POP_TOP to ROT_FOUR */
    { 9, 9, LK_OPC_NOP, 0 },               /* NOP */
    { 10, 12, LK_OPC_OTHER, 0 },           /* UNARY_POSITIVE to UNARY_NOT */
    { 15, 17, LK_OPC_OTHER, 0 },           /* UNARY_INVERT to INPLACE_MATRIX_MULTIPLY */
    { 19, 20, LK_OPC_OTHER, 0 },           /* BINARY_POWER to BINARY_MULTIPLY */
    { 22, 29, LK_OPC_OTHER, 0 },           /* BINARY_MODULO to INPLACE_TRUE_DIVIDE */
    { 48, 52, LK_OPC_OTHER, 0 },           /* RERAISE to BEFORE_ASYNC_WITH */
    { 54, 57, LK_OPC_OTHER, 0 },           /* END_ASYNC_FOR to INPLACE_MULTIPLY */
    { 59, 79, LK_OPC_OTHER, 0 },           /* INPLACE_MODULO to INPLACE_OR */
    { 82, 87, LK_OPC_OTHER, 0 },           /* LIST_TO_TUPLE to POP_BLOCK */
    { 89, 89, LK_OPC_OTHER, 0 },           /* POP_EXCEPT */
    { 90, 91, LK_OPC_STORE_NAME, 0 },      /* STORE_NAME to DELETE_NAME */
    { 92, 92, LK_OPC_OTHER, 0 },           /* UNPACK_SEQUENCE */
    { 93, 93, LK_OPC_JUMP, 0 },            /* FOR_ITER */
    { 94, 94, LK_OPC_OTHER, 0 },           /* UNPACK_EX */
    { 95, 96, LK_OPC_STORE_ATTR, 0 },      /* STORE_ATTR to DELETE_ATTR */
    { 97, 98, LK_OPC_STORE_GLOBAL, 0 },    /* STORE_GLOBAL to DELETE_GLOBAL */
    { 100, 100, LK_OPC_OTHER, 0 },         /* LOAD_CONST */
    { 101, 101, LK_OPC_NAME, 0 },          /* LOAD_NAME */
    { 102, 105, LK_OPC_OTHER, 0 },         /* BUILD_TUPLE to BUILD_MAP */
    { 106, 106, LK_OPC_ATTR, 0 },          /* LOAD_ATTR */
    { 107, 107, LK_OPC_OTHER, 0 },         /* COMPARE_OP */
    { 108, 109, LK_OPC_IMPORT, 0 },        /* IMPORT_NAME to IMPORT_FROM */
    { 110, 110, LK_OPC_JUMP, 0 },          /* JUMP_FORWARD */
    { 111, 115, LK_OPC_JUMP_ABSOLUTE, 0 }, /* JUMP_IF_FALSE_OR_POP to POP_JUMP_IF_TRUE */
    { 116, 116, LK_OPC_GLOBAL, 0 },        /* LOAD_GLOBAL */
    { 117, 118, LK_OPC_OTHER, 0 },         /* IS_OP to CONTAINS_OP */
    { 121, 121, LK_OPC_JUMP_ABSOLUTE, 0 }, /* JUMP_IF_NOT_EXC_MATCH */
    { 122, 122, LK_OPC_JUMP, 0 },          /* SETUP_FINALLY */
    { 124, 124, LK_OPC_FAST, 0 },          /* LOAD_FAST */
    { 125, 126, LK_OPC_STORE_FAST, 0 },    /* STORE_FAST to DELETE_FAST */
    { 130, 133, LK_OPC_OTHER, 0 },         /* RAISE_VARARGS to BUILD_SLICE */
    { 135, 135, LK_OPC_OTHER, 0 },         /* LOAD_CLOSURE */
    { 136, 136, LK_OPC_DEREF, 0 },         /* LOAD_DEREF */
    { 137, 138, LK_OPC_STORE_DEREF, 0 },   /* STORE_DEREF to DELETE_DEREF */
    { 141, 142, LK_OPC_OTHER, 0 },         /* CALL_FUNCTION_KW to CALL_FUNCTION_EX */
    { 143, 143, LK_OPC_JUMP, 0 },          /* SETUP_WITH */
    { 144, 144, LK_OPC_EXTENDED, 0 },      /* EXTENDED_ARG */
    { 145, 148, LK_OPC_OTHER, 0 },         /* LIST_APPEND to LOAD_CLASSDEREF */
    { 154, 154, LK_OPC_JUMP, 0 },          /* SETUP_ASYNC_WITH */
    { 155, 157, LK_OPC_OTHER, 0 },         /* FORMAT_VALUE to BUILD_STRING */
    { 160, 160, LK_OPC_ATTR, 0 },          /* LOAD_METHOD */
    { 161, 165, LK_OPC_OTHER, 0 },         /* CALL_METHOD to DICT_UPDATE */
};

static const struct lk_oprange v310[] = {
    { 1, 6, LK_OPC_OTHER, 0 },             /* POP_TOP to ROT_FOUR */
    { 9, 9, LK_OPC_NOP, 0 },               /* NOP */
    { 10, 12, LK_OPC_OTHER, 0 },           /* UNARY_POSITIVE to UNARY_NOT */
    { 15, 17, LK_OPC_OTHER, 0 },           /* UNARY_INVERT to INPLACE_MATRIX_MULTIPLY */
    { 19, 20, LK_OPC_OTHER, 0 },           /* BINARY_POWER to BINARY_MULTIPLY */
    { 22, 34, LK_OPC_OTHER, 0 },           /* BINARY_MODULO to COPY_DICT_WITHOUT_KEYS */
    { 49, 52, LK_OPC_OTHER, 0 },           /* WITH_EXCEPT_START to BEFORE_ASYNC_WITH */
    { 54, 57, LK_OPC_OTHER, 0 },           /* END_ASYNC_FOR to INPLACE_MULTIPLY */
    { 59, 79, LK_OPC_OTHER, 0 },           /* INPLACE_MODULO to INPLACE_OR */
    { 82, 87, LK_OPC_OTHER, 0 },           /* LIST_TO_TUPLE to POP_BLOCK */
    { 89, 89, LK_OPC_OTHER, 0 },           /* POP_EXCEPT */
    { 90, 91, LK_OPC_STORE_NAME, 0 },      /* STORE_NAME to DELETE_NAME */
    { 92, 92, LK_OPC_OTHER, 0 },           /* UNPACK_SEQUENCE */
    { 93, 93, LK_OPC_JUMP, 0 },            /* FOR_ITER */
    { 94, 94, LK_OPC_OTHER, 0 },           /* UNPACK_EX */
    { 95, 96, LK_OPC_STORE_ATTR, 0 },      /* STORE_ATTR to DELETE_ATTR */
    { 97, 98, LK_OPC_STORE_GLOBAL, 0 },    /* STORE_GLOBAL to DELETE_GLOBAL */
    { 99, 100, LK_OPC_OTHER, 0 },          /* ROT_N to LOAD_CONST */
    { 101, 101, LK_OPC_NAME, 0 },          /* LOAD_NAME */
    { 102, 105, LK_OPC_OTHER, 0 },         /* BUILD_TUPLE to BUILD_MAP */
    { 106, 106, LK_OPC_ATTR, 0 },          /* LOAD_ATTR */
    { 107, 107, LK_OPC_OTHER, 0 },         /* COMPARE_OP */
    { 108, 109, LK_OPC_IMPORT, 0 },        /* IMPORT_NAME to IMPORT_FROM */
    { 110, 110, LK_OPC_JUMP, 0 },          /* JUMP_FORWARD */
    { 111, 115, LK_OPC_JUMP_ABSOLUTE, 0 }, /* JUMP_IF_FALSE_OR_POP to POP_JUMP_IF_TRUE */
    { 116, 116, LK_OPC_GLOBAL, 0 },        /* LOAD_GLOBAL */
    { 117, 119, LK_OPC_OTHER, 0 },         /* IS_OP to RERAISE */
    { 121, 121, LK_OPC_JUMP_ABSOLUTE, 0 }, /* JUMP_IF_NOT_EXC_MATCH */
    { 122, 122, LK_OPC_JUMP, 0 },          /* SETUP_FINALLY */
    { 124, 124, LK_OPC_FAST, 0 },          /* LOAD_FAST */
    { 125, 126, LK_OPC_STORE_FAST, 0 },    /* STORE_FAST to DELETE_FAST */
    { 129, 133, LK_OPC_OTHER, 0 },         /* GEN_START to BUILD_SLICE */
    { 135, 135, LK_OPC_OTHER, 0 },         /* LOAD_CLOSURE */
    { 136, 136, LK_OPC_DEREF, 0 },         /* LOAD_DEREF */
    { 137, 138, LK_OPC_STORE_DEREF, 0 },   /* STORE_DEREF to DELETE_DEREF */
    { 141, 142, LK_OPC_OTHER, 0 },         /* CALL_FUNCTION_KW to CALL_FUNCTION_EX */
    { 143, 143, LK_OPC_JUMP, 0 },          /* SETUP_WITH */
    { 144, 144, LK_OPC_EXTENDED, 0 },      /* EXTENDED_ARG */
    { 145, 148, LK_OPC_OTHER, 0 },         /* LIST_APPEND to LOAD_CLASSDEREF */
    { 152, 152, LK_OPC_OTHER, 0 },         /* MATCH_CLASS */
    { 154, 154, LK_OPC_JUMP, 0 },          /* SETUP_ASYNC_WITH */
    { 155, 157, LK_OPC_OTHER, 0 },         /* FORMAT_VALUE to BUILD_STRING */
    { 160, 160, LK_OPC_ATTR, 0 },          /* LOAD_METHOD */
    { 161, 165, LK_OPC_OTHER, 0 },         /* CALL_METHOD to DICT_UPDATE */
};

static const struct lk_oprange v311[] = {
    { 1, 2, LK_OPC_OTHER, 0 },       /* POP_TOP to PUSH_NULL */
    { 3, 8, LK_OPC_OTHER, 1 },       /* BINARY_OP_ADAPTIVE to BINARY_OP_MULTIPLY_FLOAT */
    { 9, 9, LK_OPC_NOP, 0 },         /* NOP */
    { 10, 12, LK_OPC_OTHER, 0 },     /* UNARY_POSITIVE to UNARY_NOT */
    { 13, 14, LK_OPC_OTHER, 1 },     /* BINARY_OP_MULTIPLY_INT to BINARY_OP_SUBTRACT_FLOAT */
    { 15, 15, LK_OPC_OTHER, 0 },     /* UNARY_INVERT */
    { 16, 16, LK_OPC_OTHER, 1 },     /* BINARY_OP_SUBTRACT_INT */
    { 17, 25, LK_OPC_OTHER, 4 },     /* BINARY_SUBSCR_ADAPTIVE to BINARY_SUBSCR */
    { 26, 29, LK_OPC_OTHER, 2 },     /* COMPARE_OP_ADAPTIVE to COMPARE_OP_STR_JUMP */
    { 30, 33, LK_OPC_OTHER, 0 },     /* GET_LEN to MATCH_KEYS */
    { 34, 34, LK_OPC_EXTENDED, 0 },  /* EXTENDED_ARG_QUICK */
    { 35, 37, LK_OPC_OTHER, 0 },     /* PUSH_EXC_INFO to CHECK_EG_MATCH */
    { 38, 38, LK_OPC_JUMP_BACK, 0 }, /* JUMP_BACKWARD_QUICK */
    { 39, 43, LK_OPC_ATTR, 4 },      /* LOAD_ATTR_ADAPTIVE to LOAD_ATTR_WITH_HINT */
    { 44, 44, LK_OPC_OTHER, 0 },     /* LOAD_CONST__LOAD_FAST */
    { 45, 46, LK_OPC_FAST, 0 },      /* LOAD_FAST__LOAD_CONST to LOAD_FAST__LOAD_FAST */
    { 47, 48, LK_OPC_GLOBAL, 5 },    /* LOAD_GLOBAL_ADAPTIVE to LOAD_GLOBAL_BUILTIN */
    { 49, 54, LK_OPC_OTHER, 0 },     /* WITH_EXCEPT_START to END_ASYNC_FOR */
    { 55, 55, LK_OPC_GLOBAL, 5 },    /* LOAD_GLOBAL_MODULE */
    { 56, 59, LK_OPC_ATTR, 10 },     /* LOAD_METHOD_ADAPTIVE to LOAD_METHOD_NO_DICT */
    { 60, 60, LK_OPC_OTHER, 1 },     /* STORE_SUBSCR */
    { 61, 61, LK_OPC_OTHER, 0 },     /* DELETE_SUBSCR */
    { 62, 63, LK_OPC_ATTR, 10 },     /* LOAD_METHOD_WITH_DICT to LOAD_METHOD_WITH_VALUES */
    { 64, 67, LK_OPC_OTHER, 1 },     /* PRECALL_ADAPTIVE to PRECALL_BUILTIN_FAST_WITH_KEYWORDS */
    { 68, 71, LK_OPC_OTHER, 0 },     /* GET_ITER to LOAD_BUILD_CLASS */
    { 72, 73, LK_OPC_OTHER,
      1 }, /* PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS to PRECALL_NO_KW_BUILTIN_FAST */
    { 74, 75, LK_OPC_OTHER, 0 }, /* LOAD_ASSERTION_ERROR to RETURN_GENERATOR */
    { 76, 81, LK_OPC_OTHER,
      1 }, /* PRECALL_NO_KW_BUILTIN_O to PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS */
    { 82, 89, LK_OPC_OTHER, 0 },        /* LIST_TO_TUPLE to POP_EXCEPT */
    { 90, 91, LK_OPC_STORE_NAME, 0 },   /* STORE_NAME to DELETE_NAME */
    { 92, 92, LK_OPC_OTHER, 1 },        /* UNPACK_SEQUENCE */
    { 93, 93, LK_OPC_JUMP, 0 },         /* FOR_ITER */
    { 94, 94, LK_OPC_OTHER, 0 },        /* UNPACK_EX */
    { 95, 95, LK_OPC_STORE_ATTR, 4 },   /* STORE_ATTR */
    { 96, 96, LK_OPC_STORE_ATTR, 0 },   /* DELETE_ATTR */
    { 97, 98, LK_OPC_STORE_GLOBAL, 0 }, /* STORE_GLOBAL to DELETE_GLOBAL */
    { 99, 100, LK_OPC_OTHER, 0 },       /* SWAP to LOAD_CONST */
    { 101, 101, LK_OPC_NAME, 0 },       /* LOAD_NAME */
    { 102, 105, LK_OPC_OTHER, 0 },      /* BUILD_TUPLE to BUILD_MAP */
    { 106, 106, LK_OPC_ATTR, 4 },       /* LOAD_ATTR */
    { 107, 107, LK_OPC_OTHER, 2 },      /* COMPARE_OP */
    { 108, 109, LK_OPC_IMPORT, 0 },     /* IMPORT_NAME to IMPORT_FROM */
    { 110, 112, LK_OPC_JUMP, 0 },       /* JUMP_FORWARD to JUMP_IF_TRUE_OR_POP */
    { 113, 113, LK_OPC_OTHER, 1 },      /* PRECALL_NO_KW_METHOD_DESCRIPTOR_O */
    { 114, 115, LK_OPC_JUMP, 0 },       /* POP_JUMP_FORWARD_IF_FALSE to POP_JUMP_FORWARD_IF_TRUE */
    { 116, 116, LK_OPC_GLOBAL, 5 },     /* LOAD_GLOBAL */
    { 117, 120, LK_OPC_OTHER, 0 },      /* IS_OP to COPY */
    { 121, 122, LK_OPC_OTHER, 1 },      /* PRECALL_NO_KW_STR_1 to BINARY_OP */
    { 123, 123, LK_OPC_JUMP, 0 },       /* SEND */
    { 124, 124, LK_OPC_FAST, 0 },       /* LOAD_FAST */
    { 125, 126, LK_OPC_STORE_FAST, 0 }, /* STORE_FAST to DELETE_FAST */
    { 127, 127, LK_OPC_OTHER, 1 },      /* PRECALL_NO_KW_TUPLE_1 */
    { 128, 129, LK_OPC_JUMP, 0 },  /* POP_JUMP_FORWARD_IF_NOT_NONE to POP_JUMP_FORWARD_IF_NONE */
    { 130, 133, LK_OPC_OTHER, 0 }, /* RAISE_VARARGS to BUILD_SLICE */
    { 134, 134, LK_OPC_JUMP_BACK, 0 },   /* JUMP_BACKWARD_NO_INTERRUPT */
    { 135, 136, LK_OPC_OTHER, 0 },       /* MAKE_CELL to LOAD_CLOSURE */
    { 137, 137, LK_OPC_DEREF, 0 },       /* LOAD_DEREF */
    { 138, 139, LK_OPC_STORE_DEREF, 0 }, /* STORE_DEREF to DELETE_DEREF */
    { 140, 140, LK_OPC_JUMP_BACK, 0 },   /* JUMP_BACKWARD */
    { 141, 141, LK_OPC_OTHER, 1 },       /* PRECALL_NO_KW_TYPE_1 */
    { 142, 142, LK_OPC_OTHER, 0 },       /* CALL_FUNCTION_EX */
    { 143, 143, LK_OPC_OTHER, 1 },       /* PRECALL_PYFUNC */
    { 144, 144, LK_OPC_EXTENDED, 0 },    /* EXTENDED_ARG */
    { 145, 152, LK_OPC_OTHER, 0 },       /* LIST_APPEND to MATCH_CLASS */
    { 153, 154, LK_OPC_STORE_ATTR, 4 },  /* STORE_ATTR_ADAPTIVE to STORE_ATTR_INSTANCE_VALUE */
    { 155, 157, LK_OPC_OTHER, 0 },       /* FORMAT_VALUE to BUILD_STRING */
    { 158, 159, LK_OPC_STORE_ATTR, 4 },  /* STORE_ATTR_SLOT to STORE_ATTR_WITH_HINT */
    { 160, 160, LK_OPC_ATTR, 10 },       /* LOAD_METHOD */
    { 161, 161, LK_OPC_STORE_FAST, 0 },  /* STORE_FAST__LOAD_FAST */
    { 162, 165, LK_OPC_OTHER, 0 },       /* LIST_EXTEND to DICT_UPDATE */
    { 166, 166, LK_OPC_OTHER, 1 },       /* PRECALL */
    { 167, 167, LK_OPC_STORE_FAST, 0 },  /* STORE_FAST__STORE_FAST */
    { 168, 170, LK_OPC_OTHER, 1 },       /* STORE_SUBSCR_ADAPTIVE to STORE_SUBSCR_LIST_INT */
    { 171, 171, LK_OPC_OTHER, 4 },       /* CALL */
    { 172, 172, LK_OPC_OTHER, 0 },       /* KW_NAMES */
    { 173, 176, LK_OPC_JUMP_BACK,
      0 },                         /* POP_JUMP_BACKWARD_IF_NOT_NONE to POP_JUMP_BACKWARD_IF_TRUE */
    { 177, 180, LK_OPC_OTHER, 1 }, /* UNPACK_SEQUENCE_ADAPTIVE to UNPACK_SEQUENCE_TWO_TUPLE */
};

static const struct lk_oprange v312[] = {
    { 1, 5, LK_OPC_OTHER, 0 },   /* POP_TOP to END_SEND */
    { 6, 8, LK_OPC_OTHER, 1 },   /* BINARY_OP_ADD_FLOAT to BINARY_OP_ADD_UNICODE */
    { 9, 9, LK_OPC_NOP, 0 },     /* NOP */
    { 10, 10, LK_OPC_OTHER, 1 }, /* BINARY_OP_INPLACE_ADD_UNICODE */
    { 11, 12, LK_OPC_OTHER, 0 }, /* UNARY_NEGATIVE to UNARY_NOT */
    { 13, 14, LK_OPC_OTHER, 1 }, /* BINARY_OP_MULTIPLY_FLOAT to BINARY_OP_MULTIPLY_INT */
    { 15, 15, LK_OPC_OTHER, 0 }, /* UNARY_INVERT */
    { 16, 16, LK_OPC_OTHER, 1 }, /* BINARY_OP_SUBTRACT_FLOAT */
    { 18, 22, LK_OPC_OTHER, 1 }, /* BINARY_OP_SUBTRACT_INT to BINARY_SUBSCR_TUPLE_INT */
    { 23, 24, LK_OPC_OTHER, 3 }, /* CALL_PY_EXACT_ARGS to CALL_PY_WITH_DEFAULTS */
    { 25, 25, LK_OPC_OTHER, 1 }, /* BINARY_SUBSCR */
    { 26, 27, LK_OPC_OTHER, 0 }, /* BINARY_SLICE to STORE_SLICE */
    { 28, 29, LK_OPC_OTHER, 3 }, /* CALL_BOUND_METHOD_EXACT_ARGS to CALL_BUILTIN_CLASS */
    { 30, 33, LK_OPC_OTHER, 0 }, /* GET_LEN to MATCH_KEYS */
    { 34, 34, LK_OPC_OTHER, 3 }, /* CALL_BUILTIN_FAST_WITH_KEYWORDS */
    { 35, 37, LK_OPC_OTHER, 0 }, /* PUSH_EXC_INFO to CHECK_EG_MATCH */
    { 38, 48, LK_OPC_OTHER,
      3 }, /* CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS to CALL_NO_KW_TUPLE_1 */
    { 49, 55, LK_OPC_OTHER, 0 },      /* WITH_EXCEPT_START to CLEANUP_THROW */
    { 56, 56, LK_OPC_OTHER, 3 },      /* CALL_NO_KW_TYPE_1 */
    { 57, 60, LK_OPC_OTHER, 1 },      /* COMPARE_OP_FLOAT to STORE_SUBSCR */
    { 61, 61, LK_OPC_OTHER, 0 },      /* DELETE_SUBSCR */
    { 62, 65, LK_OPC_JUMP, 1 },       /* FOR_ITER_LIST to FOR_ITER_GEN */
    { 66, 67, LK_OPC_SUPER_ATTR, 1 }, /* LOAD_SUPER_ATTR_ATTR to LOAD_SUPER_ATTR_METHOD */
    { 68, 69, LK_OPC_OTHER, 0 },      /* GET_ITER to GET_YIELD_FROM_ITER */
    { 70, 70, LK_OPC_ATTR, 9 },       /* LOAD_ATTR_CLASS */
    { 71, 71, LK_OPC_OTHER, 0 },      /* LOAD_BUILD_CLASS */
    { 72, 73, LK_OPC_ATTR, 9 },  /* LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN to LOAD_ATTR_INSTANCE_VALUE */
    { 74, 75, LK_OPC_OTHER, 0 }, /* LOAD_ASSERTION_ERROR to RETURN_GENERATOR */
    { 76, 82, LK_OPC_ATTR, 9 },  /* LOAD_ATTR_MODULE to LOAD_ATTR_METHOD_WITH_VALUES */
    { 83, 85, LK_OPC_OTHER, 0 }, /* RETURN_VALUE to SETUP_ANNOTATIONS */
    { 86, 86, LK_OPC_FAST, 0 },  /* LOAD_FAST__LOAD_CONST */
    { 87, 87, LK_OPC_OTHER, 0 }, /* LOAD_LOCALS */
    { 88, 88, LK_OPC_FAST, 0 },  /* LOAD_FAST__LOAD_FAST */
    { 89, 89, LK_OPC_OTHER, 0 }, /* POP_EXCEPT */
    { 90, 91, LK_OPC_STORE_NAME, 0 },    /* STORE_NAME to DELETE_NAME */
    { 92, 92, LK_OPC_OTHER, 1 },         /* UNPACK_SEQUENCE */
    { 93, 93, LK_OPC_JUMP, 1 },          /* FOR_ITER */
    { 94, 94, LK_OPC_OTHER, 0 },         /* UNPACK_EX */
    { 95, 95, LK_OPC_STORE_ATTR, 4 },    /* STORE_ATTR */
    { 96, 96, LK_OPC_STORE_ATTR, 0 },    /* DELETE_ATTR */
    { 97, 98, LK_OPC_STORE_GLOBAL, 0 },  /* STORE_GLOBAL to DELETE_GLOBAL */
    { 99, 100, LK_OPC_OTHER, 0 },        /* SWAP to LOAD_CONST */
    { 101, 101, LK_OPC_NAME, 0 },        /* LOAD_NAME */
    { 102, 105, LK_OPC_OTHER, 0 },       /* BUILD_TUPLE to BUILD_MAP */
    { 106, 106, LK_OPC_ATTR, 9 },        /* LOAD_ATTR */
    { 107, 107, LK_OPC_OTHER, 1 },       /* COMPARE_OP */
    { 108, 109, LK_OPC_IMPORT, 0 },      /* IMPORT_NAME to IMPORT_FROM */
    { 110, 110, LK_OPC_JUMP, 0 },        /* JUMP_FORWARD */
    { 111, 112, LK_OPC_GLOBAL, 4 },      /* LOAD_GLOBAL_BUILTIN to LOAD_GLOBAL_MODULE */
    { 113, 113, LK_OPC_STORE_ATTR, 4 },  /* STORE_ATTR_INSTANCE_VALUE */
    { 114, 115, LK_OPC_JUMP, 0 },        /* POP_JUMP_IF_FALSE to POP_JUMP_IF_TRUE */
    { 116, 116, LK_OPC_GLOBAL, 4 },      /* LOAD_GLOBAL */
    { 117, 121, LK_OPC_OTHER, 0 },       /* IS_OP to RETURN_CONST */
    { 122, 122, LK_OPC_OTHER, 1 },       /* BINARY_OP */
    { 123, 123, LK_OPC_JUMP, 1 },        /* SEND */
    { 124, 124, LK_OPC_FAST, 0 },        /* LOAD_FAST */
    { 125, 126, LK_OPC_STORE_FAST, 0 },  /* STORE_FAST to DELETE_FAST */
    { 127, 127, LK_OPC_FAST, 0 },        /* LOAD_FAST_CHECK */
    { 128, 129, LK_OPC_JUMP, 0 },        /* POP_JUMP_IF_NOT_NONE to POP_JUMP_IF_NONE */
    { 130, 133, LK_OPC_OTHER, 0 },       /* RAISE_VARARGS to BUILD_SLICE */
    { 134, 134, LK_OPC_JUMP_BACK, 0 },   /* JUMP_BACKWARD_NO_INTERRUPT */
    { 135, 136, LK_OPC_OTHER, 0 },       /* MAKE_CELL to LOAD_CLOSURE */
    { 137, 137, LK_OPC_DEREF, 0 },       /* LOAD_DEREF */
    { 138, 139, LK_OPC_STORE_DEREF, 0 }, /* STORE_DEREF to DELETE_DEREF */
    { 140, 140, LK_OPC_JUMP_BACK, 0 },   /* JUMP_BACKWARD */
    { 141, 141, LK_OPC_SUPER_ATTR, 1 },  /* LOAD_SUPER_ATTR */
    { 142, 142, LK_OPC_OTHER, 0 },       /* CALL_FUNCTION_EX */
    { 143, 143, LK_OPC_STORE_FAST, 0 },  /* LOAD_FAST_AND_CLEAR */
    { 144, 144, LK_OPC_EXTENDED, 0 },    /* EXTENDED_ARG */
    { 145, 147, LK_OPC_OTHER, 0 },       /* LIST_APPEND to MAP_ADD */
    { 148, 148, LK_OPC_STORE_ATTR, 4 },  /* STORE_ATTR_SLOT */
    { 149, 152, LK_OPC_OTHER, 0 },       /* COPY_FREE_VARS to MATCH_CLASS */
    { 153, 153, LK_OPC_STORE_ATTR, 4 },  /* STORE_ATTR_WITH_HINT */
    { 154, 154, LK_OPC_STORE_FAST, 0 },  /* STORE_FAST__LOAD_FAST */
    { 155, 157, LK_OPC_OTHER, 0 },       /* FORMAT_VALUE to BUILD_STRING */
    { 158, 158, LK_OPC_STORE_FAST, 0 },  /* STORE_FAST__STORE_FAST */
    { 159, 161, LK_OPC_OTHER, 1 },       /* STORE_SUBSCR_DICT to UNPACK_SEQUENCE_LIST */
    { 162, 165, LK_OPC_OTHER, 0 },       /* LIST_EXTEND to DICT_UPDATE */
    { 166, 167, LK_OPC_OTHER, 1 },       /* UNPACK_SEQUENCE_TUPLE to UNPACK_SEQUENCE_TWO_TUPLE */
    { 168, 168, LK_OPC_JUMP, 1 },        /* SEND_GEN */
    { 171, 171, LK_OPC_OTHER, 3 },       /* CALL */
    { 172, 176, LK_OPC_OTHER, 0 },       /* KW_NAMES to LOAD_FROM_DICT_OR_DEREF */
    { 237, 237, LK_OPC_SUPER_ATTR, 1 },  /* INSTRUMENTED_LOAD_SUPER_ATTR */
    { 238, 239, LK_OPC_JUMP,
      0 }, /* INSTRUMENTED_POP_JUMP_IF_NONE to INSTRUMENTED_POP_JUMP_IF_NOT_NONE */
    { 240, 240, LK_OPC_OTHER, 0 }, /* INSTRUMENTED_RESUME */
    { 241, 241, LK_OPC_OTHER, 3 }, /* INSTRUMENTED_CALL */
    { 242, 244, LK_OPC_OTHER, 0 }, /* INSTRUMENTED_RETURN_VALUE to INSTRUMENTED_CALL_FUNCTION_EX */
    { 245, 245, LK_OPC_JUMP, 0 },  /* INSTRUMENTED_JUMP_FORWARD */
    { 246, 246, LK_OPC_JUMP_BACK, 0 }, /* INSTRUMENTED_JUMP_BACKWARD */
    { 247, 247, LK_OPC_OTHER, 0 },     /* INSTRUMENTED_RETURN_CONST */
    { 248, 248, LK_OPC_JUMP, 1 },      /* INSTRUMENTED_FOR_ITER */
    { 249, 250, LK_OPC_JUMP,
      0 }, /* INSTRUMENTED_POP_JUMP_IF_FALSE to INSTRUMENTED_POP_JUMP_IF_TRUE */
    { 251, 252, LK_OPC_OTHER, 0 }, /* INSTRUMENTED_END_FOR to INSTRUMENTED_END_SEND */
};

static const struct lk_oprange v313[] = {
    { 1, 2, LK_OPC_OTHER, 0 },           /* BEFORE_ASYNC_WITH to BEFORE_WITH */
    { 3, 3, LK_OPC_OTHER, 1 },           /* BINARY_OP_INPLACE_ADD_UNICODE */
    { 4, 4, LK_OPC_OTHER, 0 },           /* BINARY_SLICE */
    { 5, 5, LK_OPC_OTHER, 1 },           /* BINARY_SUBSCR */
    { 6, 16, LK_OPC_OTHER, 0 },          /* CHECK_EG_MATCH to GET_AITER */
    { 18, 29, LK_OPC_OTHER, 0 },         /* GET_ANEXT to MATCH_SEQUENCE */
    { 30, 30, LK_OPC_NOP, 0 },           /* NOP */
    { 31, 38, LK_OPC_OTHER, 0 },         /* POP_EXCEPT to STORE_SLICE */
    { 39, 39, LK_OPC_OTHER, 1 },         /* STORE_SUBSCR */
    { 40, 40, LK_OPC_OTHER, 3 },         /* TO_BOOL */
    { 41, 44, LK_OPC_OTHER, 0 },         /* UNARY_INVERT to WITH_EXCEPT_START */
    { 45, 45, LK_OPC_OTHER, 1 },         /* BINARY_OP */
    { 46, 52, LK_OPC_OTHER, 0 },         /* BUILD_CONST_KEY_MAP to BUILD_TUPLE */
    { 53, 53, LK_OPC_OTHER, 3 },         /* CALL */
    { 54, 57, LK_OPC_OTHER, 0 },         /* CALL_FUNCTION_EX to CALL_KW */
    { 58, 59, LK_OPC_OTHER, 1 },         /* COMPARE_OP to CONTAINS_OP */
    { 60, 62, LK_OPC_OTHER, 0 },         /* CONVERT_VALUE to COPY_FREE_VARS */
    { 63, 63, LK_OPC_STORE_ATTR, 0 },    /* DELETE_ATTR */
    { 64, 64, LK_OPC_STORE_DEREF, 0 },   /* DELETE_DEREF */
    { 65, 65, LK_OPC_STORE_FAST, 0 },    /* DELETE_FAST */
    { 66, 66, LK_OPC_STORE_GLOBAL, 0 },  /* DELETE_GLOBAL */
    { 67, 67, LK_OPC_STORE_NAME, 0 },    /* DELETE_NAME */
    { 68, 69, LK_OPC_OTHER, 0 },         /* DICT_MERGE to DICT_UPDATE */
    { 71, 71, LK_OPC_EXTENDED, 0 },      /* EXTENDED_ARG */
    { 72, 72, LK_OPC_JUMP, 1 },          /* FOR_ITER */
    { 73, 73, LK_OPC_OTHER, 0 },         /* GET_AWAITABLE */
    { 74, 75, LK_OPC_IMPORT, 0 },        /* IMPORT_FROM to IMPORT_NAME */
    { 76, 76, LK_OPC_OTHER, 0 },         /* IS_OP */
    { 77, 77, LK_OPC_JUMP_BACK, 1 },     /* JUMP_BACKWARD */
    { 78, 78, LK_OPC_JUMP_BACK, 0 },     /* JUMP_BACKWARD_NO_INTERRUPT */
    { 79, 79, LK_OPC_JUMP, 0 },          /* JUMP_FORWARD */
    { 80, 81, LK_OPC_OTHER, 0 },         /* LIST_APPEND to LIST_EXTEND */
    { 82, 82, LK_OPC_ATTR, 9 },          /* LOAD_ATTR */
    { 83, 83, LK_OPC_OTHER, 0 },         /* LOAD_CONST */
    { 84, 84, LK_OPC_DEREF, 0 },         /* LOAD_DEREF */
    { 85, 85, LK_OPC_FAST, 0 },          /* LOAD_FAST */
    { 86, 86, LK_OPC_STORE_FAST, 0 },    /* LOAD_FAST_AND_CLEAR */
    { 87, 87, LK_OPC_FAST, 0 },          /* LOAD_FAST_CHECK */
    { 88, 88, LK_OPC_FAST_FAST, 0 },     /* LOAD_FAST_LOAD_FAST */
    { 89, 90, LK_OPC_OTHER, 0 },         /* LOAD_FROM_DICT_OR_DEREF to LOAD_FROM_DICT_OR_GLOBALS */
    { 91, 91, LK_OPC_GLOBAL, 4 },        /* LOAD_GLOBAL */
    { 92, 92, LK_OPC_NAME, 0 },          /* LOAD_NAME */
    { 93, 93, LK_OPC_SUPER_ATTR, 1 },    /* LOAD_SUPER_ATTR */
    { 94, 96, LK_OPC_OTHER, 0 },         /* MAKE_CELL to MATCH_CLASS */
    { 97, 100, LK_OPC_JUMP, 1 },         /* POP_JUMP_IF_FALSE to POP_JUMP_IF_TRUE */
    { 101, 103, LK_OPC_OTHER, 0 },       /* RAISE_VARARGS to RETURN_CONST */
    { 104, 104, LK_OPC_JUMP, 1 },        /* SEND */
    { 105, 107, LK_OPC_OTHER, 0 },       /* SET_ADD to SET_UPDATE */
    { 108, 108, LK_OPC_STORE_ATTR, 4 },  /* STORE_ATTR */
    { 109, 109, LK_OPC_STORE_DEREF, 0 }, /* STORE_DEREF */
    { 110, 110, LK_OPC_STORE_FAST, 0 },  /* STORE_FAST */
    { 111, 111, LK_OPC_STORE_FAST_LOAD_FAST, 0 },  /* STORE_FAST_LOAD_FAST */
    { 112, 112, LK_OPC_STORE_FAST_STORE_FAST, 0 }, /* STORE_FAST_STORE_FAST */
    { 113, 113, LK_OPC_STORE_GLOBAL, 0 },          /* STORE_GLOBAL */
    { 114, 114, LK_OPC_STORE_NAME, 0 },            /* STORE_NAME */
    { 115, 116, LK_OPC_OTHER, 0 },                 /* SWAP to UNPACK_EX */
    { 117, 117, LK_OPC_OTHER, 1 },                 /* UNPACK_SEQUENCE */
    { 118, 118, LK_OPC_OTHER, 0 },                 /* YIELD_VALUE */
    { 149, 149, LK_OPC_OTHER, 0 },                 /* RESUME */
    { 150, 161, LK_OPC_OTHER, 1 },      /* BINARY_OP_ADD_FLOAT to BINARY_SUBSCR_TUPLE_INT */
    { 162, 181, LK_OPC_OTHER, 3 },      /* CALL_ALLOC_AND_ENTER_INIT to CALL_TYPE_1 */
    { 182, 186, LK_OPC_OTHER, 1 },      /* COMPARE_OP_FLOAT to CONTAINS_OP_SET */
    { 187, 190, LK_OPC_JUMP, 1 },       /* FOR_ITER_GEN to FOR_ITER_TUPLE */
    { 191, 202, LK_OPC_ATTR, 9 },       /* LOAD_ATTR_CLASS to LOAD_ATTR_WITH_HINT */
    { 203, 204, LK_OPC_GLOBAL, 4 },     /* LOAD_GLOBAL_BUILTIN to LOAD_GLOBAL_MODULE */
    { 205, 206, LK_OPC_SUPER_ATTR, 1 }, /* LOAD_SUPER_ATTR_ATTR to LOAD_SUPER_ATTR_METHOD */
    { 207, 207, LK_OPC_OTHER, 0 },      /* RESUME_CHECK */
    { 208, 208, LK_OPC_JUMP, 1 },       /* SEND_GEN */
    { 209, 211, LK_OPC_STORE_ATTR, 4 }, /* STORE_ATTR_INSTANCE_VALUE to STORE_ATTR_WITH_HINT */
    { 212, 213, LK_OPC_OTHER, 1 },      /* STORE_SUBSCR_DICT to STORE_SUBSCR_LIST_INT */
    { 214, 219, LK_OPC_OTHER, 3 },      /* TO_BOOL_ALWAYS_TRUE to TO_BOOL_STR */
    { 220, 222, LK_OPC_OTHER, 1 },      /* UNPACK_SEQUENCE_LIST to UNPACK_SEQUENCE_TWO_TUPLE */
    { 236, 241, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_RESUME to INSTRUMENTED_YIELD_VALUE */
    { 242, 242, LK_OPC_SUPER_ATTR, 1 }, /* INSTRUMENTED_LOAD_SUPER_ATTR */
    { 243, 243, LK_OPC_JUMP, 1 },       /* INSTRUMENTED_FOR_ITER */
    { 244, 244, LK_OPC_OTHER, 3 },      /* INSTRUMENTED_CALL */
    { 245, 246, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_CALL_KW to INSTRUMENTED_CALL_FUNCTION_EX */
    { 248, 248, LK_OPC_JUMP, 0 },       /* INSTRUMENTED_JUMP_FORWARD */
    { 249, 249, LK_OPC_JUMP_BACK, 1 },  /* INSTRUMENTED_JUMP_BACKWARD */
    { 250, 253, LK_OPC_JUMP,
      1 }, /* INSTRUMENTED_POP_JUMP_IF_TRUE to INSTRUMENTED_POP_JUMP_IF_NOT_NONE */
};

static const struct lk_oprange v314[] = {
    { 1, 2, LK_OPC_OTHER, 0 },           /* BINARY_SLICE to BUILD_TEMPLATE */
    { 3, 3, LK_OPC_OTHER, 5 },           /* BINARY_OP_INPLACE_ADD_UNICODE */
    { 4, 16, LK_OPC_OTHER, 0 },          /* CALL_FUNCTION_EX to GET_ITER */
    { 18, 26, LK_OPC_OTHER, 0 },         /* GET_LEN to MATCH_SEQUENCE */
    { 27, 27, LK_OPC_NOP, 0 },           /* NOP */
    { 28, 37, LK_OPC_OTHER, 0 },         /* NOT_TAKEN to STORE_SLICE */
    { 38, 38, LK_OPC_OTHER, 1 },         /* STORE_SUBSCR */
    { 39, 39, LK_OPC_OTHER, 3 },         /* TO_BOOL */
    { 40, 43, LK_OPC_OTHER, 0 },         /* UNARY_INVERT to WITH_EXCEPT_START */
    { 44, 44, LK_OPC_OTHER, 5 },         /* BINARY_OP */
    { 45, 51, LK_OPC_OTHER, 0 },         /* BUILD_INTERPOLATION to BUILD_TUPLE */
    { 52, 52, LK_OPC_OTHER, 3 },         /* CALL */
    { 53, 54, LK_OPC_OTHER, 0 },         /* CALL_INTRINSIC_1 to CALL_INTRINSIC_2 */
    { 55, 55, LK_OPC_OTHER, 3 },         /* CALL_KW */
    { 56, 57, LK_OPC_OTHER, 1 },         /* COMPARE_OP to CONTAINS_OP */
    { 58, 60, LK_OPC_OTHER, 0 },         /* CONVERT_VALUE to COPY_FREE_VARS */
    { 61, 61, LK_OPC_STORE_ATTR, 0 },    /* DELETE_ATTR */
    { 62, 62, LK_OPC_STORE_DEREF, 0 },   /* DELETE_DEREF */
    { 63, 63, LK_OPC_STORE_FAST, 0 },    /* DELETE_FAST */
    { 64, 64, LK_OPC_STORE_GLOBAL, 0 },  /* DELETE_GLOBAL */
    { 65, 65, LK_OPC_STORE_NAME, 0 },    /* DELETE_NAME */
    { 66, 67, LK_OPC_OTHER, 0 },         /* DICT_MERGE to DICT_UPDATE */
    { 68, 68, LK_OPC_JUMP_BACK, 0 },     /* END_ASYNC_FOR */
    { 69, 69, LK_OPC_EXTENDED, 0 },      /* EXTENDED_ARG */
    { 70, 70, LK_OPC_JUMP, 1 },          /* FOR_ITER */
    { 71, 71, LK_OPC_OTHER, 0 },         /* GET_AWAITABLE */
    { 72, 73, LK_OPC_IMPORT, 0 },        /* IMPORT_FROM to IMPORT_NAME */
    { 74, 74, LK_OPC_OTHER, 0 },         /* IS_OP */
    { 75, 75, LK_OPC_JUMP_BACK, 1 },     /* JUMP_BACKWARD */
    { 76, 76, LK_OPC_JUMP_BACK, 0 },     /* JUMP_BACKWARD_NO_INTERRUPT */
    { 77, 77, LK_OPC_JUMP, 0 },          /* JUMP_FORWARD */
    { 78, 79, LK_OPC_OTHER, 0 },         /* LIST_APPEND to LIST_EXTEND */
    { 80, 80, LK_OPC_ATTR, 9 },          /* LOAD_ATTR */
    { 81, 82, LK_OPC_OTHER, 0 },         /* LOAD_COMMON_CONSTANT to LOAD_CONST */
    { 83, 83, LK_OPC_DEREF, 0 },         /* LOAD_DEREF */
    { 84, 84, LK_OPC_FAST, 0 },          /* LOAD_FAST */
    { 85, 85, LK_OPC_STORE_FAST, 0 },    /* LOAD_FAST_AND_CLEAR */
    { 86, 86, LK_OPC_FAST, 0 },          /* LOAD_FAST_BORROW */
    { 87, 87, LK_OPC_FAST_FAST, 0 },     /* LOAD_FAST_BORROW_LOAD_FAST_BORROW */
    { 88, 88, LK_OPC_FAST, 0 },          /* LOAD_FAST_CHECK */
    { 89, 89, LK_OPC_FAST_FAST, 0 },     /* LOAD_FAST_LOAD_FAST */
    { 90, 91, LK_OPC_OTHER, 0 },         /* LOAD_FROM_DICT_OR_DEREF to LOAD_FROM_DICT_OR_GLOBALS */
    { 92, 92, LK_OPC_GLOBAL, 4 },        /* LOAD_GLOBAL */
    { 93, 93, LK_OPC_NAME, 0 },          /* LOAD_NAME */
    { 94, 95, LK_OPC_OTHER, 0 },         /* LOAD_SMALL_INT to LOAD_SPECIAL */
    { 96, 96, LK_OPC_SUPER_ATTR, 1 },    /* LOAD_SUPER_ATTR */
    { 97, 99, LK_OPC_OTHER, 0 },         /* MAKE_CELL to MATCH_CLASS */
    { 100, 103, LK_OPC_JUMP, 1 },        /* POP_JUMP_IF_FALSE to POP_JUMP_IF_TRUE */
    { 104, 105, LK_OPC_OTHER, 0 },       /* RAISE_VARARGS to RERAISE */
    { 106, 106, LK_OPC_JUMP, 1 },        /* SEND */
    { 107, 109, LK_OPC_OTHER, 0 },       /* SET_ADD to SET_UPDATE */
    { 110, 110, LK_OPC_STORE_ATTR, 4 },  /* STORE_ATTR */
    { 111, 111, LK_OPC_STORE_DEREF, 0 }, /* STORE_DEREF */
    { 112, 112, LK_OPC_STORE_FAST, 0 },  /* STORE_FAST */
    { 113, 113, LK_OPC_STORE_FAST_LOAD_FAST, 0 },  /* STORE_FAST_LOAD_FAST */
    { 114, 114, LK_OPC_STORE_FAST_STORE_FAST, 0 }, /* STORE_FAST_STORE_FAST */
    { 115, 115, LK_OPC_STORE_GLOBAL, 0 },          /* STORE_GLOBAL */
    { 116, 116, LK_OPC_STORE_NAME, 0 },            /* STORE_NAME */
    { 117, 118, LK_OPC_OTHER, 0 },                 /* SWAP to UNPACK_EX */
    { 119, 119, LK_OPC_OTHER, 1 },                 /* UNPACK_SEQUENCE */
    { 120, 120, LK_OPC_OTHER, 0 },                 /* YIELD_VALUE */
    { 128, 128, LK_OPC_OTHER, 0 },                 /* RESUME */
    { 129, 142, LK_OPC_OTHER, 5 },      /* BINARY_OP_ADD_FLOAT to BINARY_OP_SUBTRACT_INT */
    { 143, 165, LK_OPC_OTHER, 3 },      /* CALL_ALLOC_AND_ENTER_INIT to CALL_TYPE_1 */
    { 166, 170, LK_OPC_OTHER, 1 },      /* COMPARE_OP_FLOAT to CONTAINS_OP_SET */
    { 171, 174, LK_OPC_JUMP, 1 },       /* FOR_ITER_GEN to FOR_ITER_TUPLE */
    { 175, 176, LK_OPC_JUMP_BACK, 1 },  /* JUMP_BACKWARD_JIT to JUMP_BACKWARD_NO_JIT */
    { 177, 189, LK_OPC_ATTR, 9 },       /* LOAD_ATTR_CLASS to LOAD_ATTR_WITH_HINT */
    { 190, 191, LK_OPC_OTHER, 0 },      /* LOAD_CONST_IMMORTAL to LOAD_CONST_MORTAL */
    { 192, 193, LK_OPC_GLOBAL, 4 },     /* LOAD_GLOBAL_BUILTIN to LOAD_GLOBAL_MODULE */
    { 194, 195, LK_OPC_SUPER_ATTR, 1 }, /* LOAD_SUPER_ATTR_ATTR to LOAD_SUPER_ATTR_METHOD */
    { 196, 196, LK_OPC_OTHER, 0 },      /* RESUME_CHECK */
    { 197, 197, LK_OPC_JUMP, 1 },       /* SEND_GEN */
    { 198, 200, LK_OPC_STORE_ATTR, 4 }, /* STORE_ATTR_INSTANCE_VALUE to STORE_ATTR_WITH_HINT */
    { 201, 202, LK_OPC_OTHER, 1 },      /* STORE_SUBSCR_DICT to STORE_SUBSCR_LIST_INT */
    { 203, 208, LK_OPC_OTHER, 3 },      /* TO_BOOL_ALWAYS_TRUE to TO_BOOL_STR */
    { 209, 211, LK_OPC_OTHER, 1 },      /* UNPACK_SEQUENCE_LIST to UNPACK_SEQUENCE_TWO_TUPLE */
    { 234, 236, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_END_FOR to INSTRUMENTED_END_SEND */
    { 237, 237, LK_OPC_JUMP, 1 },       /* INSTRUMENTED_FOR_ITER */
    { 239, 239, LK_OPC_JUMP, 0 },       /* INSTRUMENTED_JUMP_FORWARD */
    { 240, 240, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_NOT_TAKEN */
    { 241, 244, LK_OPC_JUMP,
      1 }, /* INSTRUMENTED_POP_JUMP_IF_TRUE to INSTRUMENTED_POP_JUMP_IF_NOT_NONE */
    { 245, 247, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_RESUME to INSTRUMENTED_YIELD_VALUE */
    { 248, 248, LK_OPC_JUMP_BACK, 0 },  /* INSTRUMENTED_END_ASYNC_FOR */
    { 249, 249, LK_OPC_SUPER_ATTR, 1 }, /* INSTRUMENTED_LOAD_SUPER_ATTR */
    { 250, 251, LK_OPC_OTHER, 3 },      /* INSTRUMENTED_CALL to INSTRUMENTED_CALL_KW */
    { 252, 252, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_CALL_FUNCTION_EX */
    { 253, 253, LK_OPC_JUMP_BACK, 1 },  /* INSTRUMENTED_JUMP_BACKWARD */
};

static const struct lk_oprange v315[] = {
    { 1, 2, LK_OPC_OTHER, 0 },           /* BINARY_SLICE to BUILD_TEMPLATE */
    { 3, 3, LK_OPC_OTHER, 5 },           /* BINARY_OP_INPLACE_ADD_UNICODE */
    { 4, 4, LK_OPC_OTHER, 1 },           /* CALL_FUNCTION_EX */
    { 5, 16, LK_OPC_OTHER, 0 },          /* CHECK_EG_MATCH to GET_LEN */
    { 18, 24, LK_OPC_OTHER, 0 },         /* INTERPRETER_EXIT to MATCH_SEQUENCE */
    { 25, 25, LK_OPC_NOP, 0 },           /* NOP */
    { 26, 35, LK_OPC_OTHER, 0 },         /* NOT_TAKEN to STORE_SLICE */
    { 36, 36, LK_OPC_OTHER, 1 },         /* STORE_SUBSCR */
    { 37, 37, LK_OPC_OTHER, 3 },         /* TO_BOOL */
    { 38, 41, LK_OPC_OTHER, 0 },         /* UNARY_INVERT to WITH_EXCEPT_START */
    { 42, 42, LK_OPC_OTHER, 5 },         /* BINARY_OP */
    { 43, 49, LK_OPC_OTHER, 0 },         /* BUILD_INTERPOLATION to BUILD_TUPLE */
    { 50, 50, LK_OPC_OTHER, 3 },         /* CALL */
    { 51, 52, LK_OPC_OTHER, 0 },         /* CALL_INTRINSIC_1 to CALL_INTRINSIC_2 */
    { 53, 53, LK_OPC_OTHER, 3 },         /* CALL_KW */
    { 54, 55, LK_OPC_OTHER, 1 },         /* COMPARE_OP to CONTAINS_OP */
    { 56, 58, LK_OPC_OTHER, 0 },         /* CONVERT_VALUE to COPY_FREE_VARS */
    { 59, 59, LK_OPC_STORE_ATTR, 0 },    /* DELETE_ATTR */
    { 60, 60, LK_OPC_STORE_DEREF, 0 },   /* DELETE_DEREF */
    { 61, 61, LK_OPC_STORE_FAST, 0 },    /* DELETE_FAST */
    { 62, 62, LK_OPC_STORE_GLOBAL, 0 },  /* DELETE_GLOBAL */
    { 63, 63, LK_OPC_STORE_NAME, 0 },    /* DELETE_NAME */
    { 64, 65, LK_OPC_OTHER, 0 },         /* DICT_MERGE to DICT_UPDATE */
    { 66, 66, LK_OPC_JUMP_BACK, 0 },     /* END_ASYNC_FOR */
    { 67, 67, LK_OPC_EXTENDED, 0 },      /* EXTENDED_ARG */
    { 68, 68, LK_OPC_JUMP, 1 },          /* FOR_ITER */
    { 69, 69, LK_OPC_OTHER, 0 },         /* GET_AWAITABLE */
    { 70, 70, LK_OPC_OTHER, 1 },         /* GET_ITER */
    { 71, 72, LK_OPC_IMPORT, 0 },        /* IMPORT_FROM to IMPORT_NAME */
    { 73, 73, LK_OPC_OTHER, 0 },         /* IS_OP */
    { 74, 74, LK_OPC_JUMP_BACK, 1 },     /* JUMP_BACKWARD */
    { 75, 75, LK_OPC_JUMP_BACK, 0 },     /* JUMP_BACKWARD_NO_INTERRUPT */
    { 76, 76, LK_OPC_JUMP, 0 },          /* JUMP_FORWARD */
    { 77, 78, LK_OPC_OTHER, 0 },         /* LIST_APPEND to LIST_EXTEND */
    { 79, 79, LK_OPC_ATTR, 9 },          /* LOAD_ATTR */
    { 80, 81, LK_OPC_OTHER, 0 },         /* LOAD_COMMON_CONSTANT to LOAD_CONST */
    { 82, 82, LK_OPC_DEREF, 0 },         /* LOAD_DEREF */
    { 83, 83, LK_OPC_FAST, 0 },          /* LOAD_FAST */
    { 84, 84, LK_OPC_STORE_FAST, 0 },    /* LOAD_FAST_AND_CLEAR */
    { 85, 85, LK_OPC_FAST, 0 },          /* LOAD_FAST_BORROW */
    { 86, 86, LK_OPC_FAST_FAST, 0 },     /* LOAD_FAST_BORROW_LOAD_FAST_BORROW */
    { 87, 87, LK_OPC_FAST, 0 },          /* LOAD_FAST_CHECK */
    { 88, 88, LK_OPC_FAST_FAST, 0 },     /* LOAD_FAST_LOAD_FAST */
    { 89, 90, LK_OPC_OTHER, 0 },         /* LOAD_FROM_DICT_OR_DEREF to LOAD_FROM_DICT_OR_GLOBALS */
    { 91, 91, LK_OPC_GLOBAL, 4 },        /* LOAD_GLOBAL */
    { 92, 92, LK_OPC_NAME, 0 },          /* LOAD_NAME */
    { 93, 94, LK_OPC_OTHER, 0 },         /* LOAD_SMALL_INT to LOAD_SPECIAL */
    { 95, 95, LK_OPC_SUPER_ATTR, 1 },    /* LOAD_SUPER_ATTR */
    { 96, 98, LK_OPC_OTHER, 0 },         /* MAKE_CELL to MATCH_CLASS */
    { 99, 102, LK_OPC_JUMP, 1 },         /* POP_JUMP_IF_FALSE to POP_JUMP_IF_TRUE */
    { 103, 104, LK_OPC_OTHER, 0 },       /* RAISE_VARARGS to RERAISE */
    { 105, 105, LK_OPC_JUMP, 1 },        /* SEND */
    { 106, 108, LK_OPC_OTHER, 0 },       /* SET_ADD to SET_UPDATE */
    { 109, 109, LK_OPC_STORE_ATTR, 4 },  /* STORE_ATTR */
    { 110, 110, LK_OPC_STORE_DEREF, 0 }, /* STORE_DEREF */
    { 111, 111, LK_OPC_STORE_FAST, 0 },  /* STORE_FAST */
    { 112, 112, LK_OPC_STORE_FAST_LOAD_FAST, 0 },  /* STORE_FAST_LOAD_FAST */
    { 113, 113, LK_OPC_STORE_FAST_STORE_FAST, 0 }, /* STORE_FAST_STORE_FAST */
    { 114, 114, LK_OPC_STORE_GLOBAL, 0 },          /* STORE_GLOBAL */
    { 115, 115, LK_OPC_STORE_NAME, 0 },            /* STORE_NAME */
    { 116, 117, LK_OPC_OTHER, 0 },                 /* SWAP to UNPACK_EX */
    { 118, 118, LK_OPC_OTHER, 1 },                 /* UNPACK_SEQUENCE */
    { 119, 119, LK_OPC_OTHER, 0 },                 /* YIELD_VALUE */
    { 128, 128, LK_OPC_OTHER, 1 },                 /* RESUME */
    { 129, 143, LK_OPC_OTHER, 5 },      /* BINARY_OP_ADD_FLOAT to BINARY_OP_SUBTRACT_INT */
    { 144, 150, LK_OPC_OTHER, 3 },      /* CALL_ALLOC_AND_ENTER_INIT to CALL_BUILTIN_O */
    { 151, 152, LK_OPC_OTHER, 1 },      /* CALL_EX_NON_PY_GENERAL to CALL_EX_PY */
    { 153, 168, LK_OPC_OTHER, 3 },      /* CALL_ISINSTANCE to CALL_TYPE_1 */
    { 169, 173, LK_OPC_OTHER, 1 },      /* COMPARE_OP_FLOAT to CONTAINS_OP_SET */
    { 174, 178, LK_OPC_JUMP, 1 },       /* FOR_ITER_GEN to FOR_ITER_VIRTUAL */
    { 179, 180, LK_OPC_OTHER, 1 },      /* GET_ITER_SELF to GET_ITER_VIRTUAL */
    { 181, 182, LK_OPC_JUMP_BACK, 1 },  /* JUMP_BACKWARD_JIT to JUMP_BACKWARD_NO_JIT */
    { 183, 195, LK_OPC_ATTR, 9 },       /* LOAD_ATTR_CLASS to LOAD_ATTR_WITH_HINT */
    { 196, 197, LK_OPC_GLOBAL, 4 },     /* LOAD_GLOBAL_BUILTIN to LOAD_GLOBAL_MODULE */
    { 198, 199, LK_OPC_SUPER_ATTR, 1 }, /* LOAD_SUPER_ATTR_ATTR to LOAD_SUPER_ATTR_METHOD */
    { 200, 201, LK_OPC_OTHER, 1 },      /* RESUME_CHECK to RESUME_CHECK_JIT */
    { 202, 204, LK_OPC_JUMP, 1 },       /* SEND_ASYNC_GEN to SEND_VIRTUAL */
    { 205, 207, LK_OPC_STORE_ATTR, 4 }, /* STORE_ATTR_INSTANCE_VALUE to STORE_ATTR_WITH_HINT */
    { 208, 209, LK_OPC_OTHER, 1 },      /* STORE_SUBSCR_DICT to STORE_SUBSCR_LIST_INT */
    { 210, 215, LK_OPC_OTHER, 3 },      /* TO_BOOL_ALWAYS_TRUE to TO_BOOL_STR */
    { 216, 218, LK_OPC_OTHER, 1 },      /* UNPACK_SEQUENCE_LIST to UNPACK_SEQUENCE_TWO_TUPLE */
    { 233, 235, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_END_FOR to INSTRUMENTED_END_SEND */
    { 236, 236, LK_OPC_JUMP, 1 },       /* INSTRUMENTED_FOR_ITER */
    { 238, 238, LK_OPC_JUMP, 0 },       /* INSTRUMENTED_JUMP_FORWARD */
    { 239, 239, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_NOT_TAKEN */
    { 240, 243, LK_OPC_JUMP,
      1 }, /* INSTRUMENTED_POP_JUMP_IF_TRUE to INSTRUMENTED_POP_JUMP_IF_NOT_NONE */
    { 244, 244, LK_OPC_OTHER, 1 },      /* INSTRUMENTED_RESUME */
    { 245, 246, LK_OPC_OTHER, 0 },      /* INSTRUMENTED_RETURN_VALUE to INSTRUMENTED_YIELD_VALUE */
    { 247, 247, LK_OPC_JUMP_BACK, 0 },  /* INSTRUMENTED_END_ASYNC_FOR */
    { 248, 248, LK_OPC_SUPER_ATTR, 1 }, /* INSTRUMENTED_LOAD_SUPER_ATTR */
    { 249, 250, LK_OPC_OTHER, 3 },      /* INSTRUMENTED_CALL to INSTRUMENTED_CALL_KW */
    { 251, 251, LK_OPC_OTHER, 1 },      /* INSTRUMENTED_CALL_FUNCTION_EX */
    { 252, 252, LK_OPC_JUMP_BACK, 1 },  /* INSTRUMENTED_JUMP_BACKWARD */
};

#define RANGES(v) .ranges = v, .n = LK_ARRAY_LEN(v)

/* Units of jump arguments: Lib/dis.py of 3.9 and 3.10; bits below the name's index: ceval.c,
 * bytecodes.c of each version. */
static const struct lk_optable tables[] = {
    { LK_PYVER(3, 8), RANGES(v38), .jump_unit = 1, .derefs_apart = true },
    { LK_PYVER(3, 9), RANGES(v39), .jump_unit = 1, .derefs_apart = true },
    { LK_PYVER(3, 10), RANGES(v310), .jump_unit = 2, .derefs_apart = true },
    { LK_PYVER(3, 11), RANGES(v311), .jump_unit = 2, .global_shift = 1 },
    { LK_PYVER(3, 12), RANGES(v312), .jump_unit = 2, .global_shift = 1, .attr_shift = 1 },
    { LK_PYVER(3, 13), RANGES(v313), .jump_unit = 2, .global_shift = 1, .attr_shift = 1,
      .null_above = true },
    { LK_PYVER(3, 14), RANGES(v314), .jump_unit = 2, .global_shift = 1, .attr_shift = 1,
      .null_above = true },
    { LK_PYVER(3, 15), RANGES(v315), .jump_unit = 2, .global_shift = 1, .attr_shift = 1,
      .null_above = true },
};

const struct lk_optable *lk_py_opcodes(int version)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(tables); i++)
        if (tables[i].version == version)
            return &tables[i];
    return NULL;
}

void lk_py_opcodes_expand(const struct lk_optable *t, struct lk_opinfo ret[256])
{
    memset(ret, 0, 256 * sizeof *ret);
    for (size_t i = 0; i < t->n; i++)
        for (unsigned op = t->ranges[i].first; op <= t->ranges[i].last; op++)
            ret[op] = (struct lk_opinfo){ t->ranges[i].cls, t->ranges[i].caches };
}

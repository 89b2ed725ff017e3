/*
 * What a record of one process is made of: pieces in the order in which they were asked for, each a
 * letter and a body. Pieces belong to the sample that was under way; the memory of each moment of
 * it comes at the moment's end.
 */
#ifndef LK_PROCESS_CAPTURE_TAPE_H
#define LK_PROCESS_CAPTURE_TAPE_H

enum lk_piece {
    LK_PIECE_SAMPLE = 'S',    /* the next sample begins */
    LK_PIECE_MOMENT = 'N',    /* the next moment of the same sample */
    LK_PIECE_MEMORY = 'M',    /* known.h */
    LK_PIECE_MAPS = 'P',      /* number of mappings, mappings */
    LK_PIECE_THREADS = 'T',   /* an error, number of threads, threads */
    LK_PIECE_STOP = 'X',      /* an error, number of threads, ids, registers, how it went */
    LK_PIECE_FACT = 'F',      /* which, key, errno, length and bytes of the answer */
    LK_PIECE_MACHINE = 'H',   /* the same, of the machine */
    LK_PIECE_KEPT = 'K',      /* the same, worked out above the door */
    LK_PIECE_CLOCK = 'C',     /* microseconds */
    LK_PIECE_THREAD_ID = 'I', /* in the process's namespace, and ours */
    LK_PIECE_PROCESS = 'O',   /* another one: its id, an error, length and bytes of its record */
    LK_PIECE_WITHHELD = 'W',  /* an error: what of it might not be read */
};

#endif

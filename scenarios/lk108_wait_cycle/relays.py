"""Ways to await a future through another one that only passes its result on."""
import asyncio
import functools


async def direct(entry):
    return await entry


async def shielded(entry):
    return await asyncio.shield(entry)


async def shielded_twice(entry):
    return await asyncio.shield(asyncio.shield(entry))


async def first_done(entry):
    for done in asyncio.as_completed([entry]):
        return await done


async def gathered(entry):
    return await asyncio.gather(asyncio.shield(entry))


async def handed_on(entry):
    copy = asyncio.get_running_loop().create_future()
    entry.add_done_callback(lambda done: copy.set_result(done.result()))
    return await copy


async def handed_on_by_name(entry):
    copy = asyncio.get_running_loop().create_future()
    again = entry  # in the closure before `copy`, and no relay

    def hand_on(_):
        copy.set_result(again.result())
    entry.add_done_callback(hand_on)
    return await copy


def pass_on(copy, done):
    copy.set_result(done.result())


async def handed_on_by_partial(entry):
    copy = asyncio.get_running_loop().create_future()
    entry.add_done_callback(functools.partial(pass_on, copy))
    return await copy


WAYS = {way.__name__: way for way in (direct, shielded, shielded_twice, first_done, gathered, handed_on, handed_on_by_name, handed_on_by_partial)}

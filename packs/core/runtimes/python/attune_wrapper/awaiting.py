"""Authors may write `async`; who calls them need not."""

from .place import undisturbed


def settled(result):
    """The value of what may be awaitable."""
    if not hasattr(type(result), "__await__"):
        return result
    with undisturbed:
        import asyncio
    return asyncio.run(awaited(result))


async def awaited(value):
    return await value


def each(result, take):
    """Gives `take` what an asynchronous iterator yields."""
    with undisturbed:
        import asyncio
    asyncio.run(drain(result, take))


async def drain(result, take):
    async for value in result:
        take(value)

"""A package starts a thread while it is imported and joins it; that thread imports a module of the same package."""
import common

if __name__ == "__main__":
    common.say("listening", port=None)
    import slowpkg  # noqa: F401

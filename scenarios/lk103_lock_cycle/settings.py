"""What lazy_import.py and plugin_module.py share."""
import threading

LOCK = threading.Lock()
SECOND_HOLDS = threading.Event()
IMPORTING = threading.Event()

"""python -m loopknot: the program itself."""
import os
import sys

from loopknot import program

os.execv(program(), ["loopknot"] + sys.argv[1:])

from . import missing

value = 1
